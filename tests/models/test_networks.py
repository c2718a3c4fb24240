"""What all generators and discriminators share, and what tells them apart."""

import functools
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from astgan.models import dcgan, layers, resnet
from tests.models.numbers import close, draw

MAKERS = {
  "dcgan generator": dcgan.Generator,
  "dcgan discriminator": functools.partial(
    dcgan.Discriminator, leaky_relu_slope=0.2
  ),
  "resnet generator": resnet.Generator,
  "resnet discriminator": resnet.Discriminator,
}
NETWORKS = pytest.mark.parametrize("name", MAKERS)
ON = (False, True)
OPTIONS = [(name, {"spectral_norm": x}) for name in MAKERS for x in ON]
OPTIONS += [("dcgan generator", {"upsample": "bilinear"})]
OPTIONS += [("resnet discriminator", {"norm": x}) for x in ("batch", "none")]
OPTIONS += [("dcgan discriminator", {"norm": x}) for x in ("layer", "none")]


def build(name, size=16, width=16, latent_dim=100, **options):
  """A network and four examples of what it takes."""
  network = MAKERS[name](size=size, width=width, **options)
  if "generator" in name:
    return network, draw(4, latent_dim)
  return network, draw(4, size, size, 3)


def shapes_of(name, **options):
  network, examples = build(name, **options)
  init = functools.partial(network.init_with_output, train=False)
  return jax.eval_shape(init, jax.random.key(0), examples)


def initialised(name, **options):
  network, examples = build(name, **options)
  init = jax.jit(functools.partial(network.init, train=False))
  return network, examples, init(jax.random.key(0), examples)


@functools.partial(jax.jit, static_argnums=0)
def infer(network, variables, examples):
  return network.apply(variables, examples, train=False)


@functools.partial(jax.jit, static_argnums=0)
def apply(network, variables, examples):
  mutable = [name for name in variables if name != "params"]
  return network.apply(variables, examples, train=True, mutable=mutable)


@pytest.mark.parametrize(
  ("name", "options", "count"),
  [
    ("dcgan generator", {}, 3_576_704),
    # 9 taps in place of 16 in the convolutions, which had 2,755,584.
    ("dcgan generator", {"upsample": "nearest"}, 2_371_136),
    ("dcgan discriminator", {}, 2_765_568),
    # 1,792 scales and biases of norms less, 960 biases of convolutions more.
    ("dcgan discriminator", {"norm": "none"}, 2_764_736),
    ("resnet generator", {"latent_dim": 128}, 8_540_483),
    ("resnet discriminator", {}, 7_491_841),
    # 3,840 scales and biases of norms less, 960 biases of convolutions more.
    ("resnet discriminator", {"norm": "none"}, 7_488_961),
  ],
)
def test_parameters_at_width_64_and_size_64(name, options, count):
  params = shapes_of(name, size=64, width=64, **options)[1]["params"]
  assert sum(math.prod(leaf.shape) for leaf in jax.tree.leaves(params)) == count


@NETWORKS
@pytest.mark.parametrize("size", [8, 32, 128, 256])
def test_images_and_logits_have_the_size_asked_for(name, size):
  outputs, variables = shapes_of(name, size=size, width=8)
  shape = (4, size, size, 3) if "generator" in name else (4,)
  assert (outputs.shape, outputs.dtype) == (shape, jnp.float32)
  if name == "resnet generator":
    # Eight times the width, and half as many from block to block at the end.
    kernel = variables["params"]["block_1"]["shortcut"]["kernel"]
    assert kernel.shape[2:] == {
      8: (16, 8), 32: (64, 32), 128: (64, 64), 256: (64, 64)
    }[size]  # fmt: skip


@pytest.mark.parametrize("name", ["dcgan generator", "dcgan discriminator"])
def test_dcgan_starts_as_the_normal_draws_of_the_paper(name):
  _, _, variables = initialised(name)
  leaves = {"scale": [], "bias": [], "kernel": []}
  for path, leaf in jax.tree.leaves_with_path(variables["params"]):
    leaves.get(path[-1].key, leaves["kernel"]).append(np.ravel(leaf))
  assert not np.concatenate(leaves["bias"]).any()
  for kind, mean in (("kernel", 0), ("scale", 1)):
    found = np.concatenate(leaves[kind])
    # Five standard errors of the mean and of the deviation.
    assert abs(found.mean() - mean) < 5 * 0.02 / math.sqrt(found.size)
    assert abs(found.std() / 0.02 - 1) < 5 / math.sqrt(2 * found.size)


@pytest.mark.parametrize(("name", "options"), OPTIONS)
def test_an_example_sees_its_neighbours_in_batch_normalisation_alone(
  name, options
):
  network, examples, variables = initialised(name, **options)
  alone = infer(network, variables, examples[:2])
  together = infer(network, variables, examples)[:2]
  close(together, alone)
  difference = np.abs(
    apply(network, variables, examples)[0][:2]
    - apply(network, variables, examples[:2])[0]
  ).max()
  assert (difference > 1e-4) == ("batch_stats" in variables)


def test_training_moves_the_running_mean_a_tenth_of_the_way():
  network, images, variables = initialised("dcgan discriminator")
  _, moved = apply(network, variables, images)
  # From zero towards the mean of what the first normalisation takes in.
  params = variables["params"]
  x = layers.strided_conv(images, params["down_0"]["kernel"])
  x = layers.strided_conv(jax.nn.leaky_relu(x, 0.2), params["down_1"]["kernel"])
  close(moved["batch_stats"]["norm_1"]["mean"], 0.1 * np.mean(x, (0, 1, 2)))


@NETWORKS
def test_spectral_normalisation_undoes_the_scale_of_every_kernel(name):
  network, examples, variables = initialised(name, spectral_norm=True)
  expected = infer(network, variables, examples)
  variables["params"] = jax.tree.map_with_path(
    lambda path, x: x if path[-1].key in ("scale", "bias") else 3 * x,
    variables["params"],
  )
  close(infer(network, variables, examples), expected)


@NETWORKS
def test_bfloat16_computes_near_float32_and_keeps_parameters_float32(name):
  network, examples, variables = initialised(name)
  rough_network, _ = build(name, dtype=jnp.bfloat16)
  # Flax's own normalisations promote bfloat16.
  with jax.numpy_dtype_promotion("standard"):
    rough, moved = apply(rough_network, variables, examples)
  exact, _ = apply(network, variables, examples)
  assert {leaf.dtype for leaf in jax.tree.leaves(moved)} <= {jnp.float32.dtype}
  assert rough.dtype == jnp.float32
  np.testing.assert_allclose(rough, exact, atol=0.05 * np.abs(exact).max())
  assert np.abs(rough - exact).max() > 0


@pytest.mark.parametrize(
  ("name", "options", "message"),
  [
    (name, {"size": size}, f"power of two from 8, got {size}")
    for name in MAKERS
    for size in (4, 48, 0)
  ]
  + [
    ("dcgan discriminator", {"norm": "group"}, "norm must be .*'group'"),
    ("resnet discriminator", {"norm": "group"}, "norm must be .*'group'"),
    ("dcgan generator", {"upsample": "cubic"}, "upsample must be .*'cubic'"),
  ],
)
def test_what_no_network_has_is_refused(name, options, message):
  with pytest.raises(ValueError, match=message):
    shapes_of(name, **options)
