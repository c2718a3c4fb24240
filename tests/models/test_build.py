"""The networks that a config names."""

import functools

import jax
import jax.numpy as jnp
import pytest

from astgan.models import build
from configs import common


def make_config(**changes):
  config = common.get_config()
  config.update_from_flattened_dict({"model.width": 8, "data.size": 16})
  config.update_from_flattened_dict(changes)
  return config


def test_the_numbers_of_the_config_reach_the_networks():
  generator, discriminator = build.build(
    make_config(**{"model.slope": 0.3, "model.dtype": "bfloat16"})
  )
  assert (generator.size, generator.width) == (16, 8)
  assert (discriminator.size, discriminator.width) == (16, 8)
  assert discriminator.leaky_relu_slope == 0.3
  assert generator.dtype == discriminator.dtype == jnp.bfloat16.dtype


@pytest.mark.parametrize(
  ("statistics", "axis_name"),
  [("synchronised", "devices"), ("per_device", None)],
)
def test_statistics_are_shared_over_the_devices_where_asked(
  statistics, axis_name
):
  config = make_config(**{"model.batch_norm": statistics})
  networks = build.build(config, axis_name="devices")
  assert [network.axis_name for network in networks] == [axis_name] * 2


def test_an_unknown_model_is_refused():
  with pytest.raises(ValueError, match=r"model\.name.*'stylegan'"):
    build.build(make_config(**{"model.name": "stylegan"}))


def test_calibrated_statistics_are_those_of_many_latents_in_one_batch():
  config = make_config()
  generator, _ = build.build(config)
  many = jax.random.normal(jax.random.key(7), (4096, 100))
  init = functools.partial(generator.init, train=False)
  first = jax.jit(init)(jax.random.key(0), many[:2])
  variables = build.calibrator(config)(first["params"])
  # By its running statistics, the generator draws nearly what it draws by a
  # batch of thousands.
  by_running = generator.apply(variables, many, train=False)
  by_batch, _ = generator.apply(
    first, many, train=True, mutable=["batch_stats"]
  )
  difference = jnp.std(by_running - by_batch) / jnp.std(by_batch)
  # 0.02; by the statistics it starts with it would be 0.98.
  assert difference < 0.05
