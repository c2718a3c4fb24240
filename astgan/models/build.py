"""The networks that a config names."""

import functools
from collections.abc import Callable

import flax.linen as nn
import jax
import jax.numpy as jnp
import ml_collections
from jaxtyping import PyTree

from astgan.arrays import Images, Latents
from astgan.models import dcgan


def build(
  config: ml_collections.ConfigDict, *, axis_name: str | None = None
) -> tuple[nn.Module, nn.Module]:
  """Generator and discriminator of the config's `model` and `data.size`.

  Args:
    config: the whole config.
    axis_name: the mapped axis of the devices; statistics of batch
      normalisation are shared over it where `model.batch_norm` says so. None
      outside a mapped step.

  Raises:
    ValueError: the model's name is unknown.
  """
  if config.model.name != "dcgan":
    raise ValueError(f"model.name must be dcgan, got {config.model.name!r}")
  if config.model.batch_norm == "per_device":
    axis_name = None
  shared = {
    "size": config.data.size,
    "width": config.model.width,
    "axis_name": axis_name,
    "dtype": jnp.dtype(config.model.dtype),
  }
  return (
    dcgan.Generator(**shared),
    dcgan.Discriminator(**shared, leaky_relu_slope=config.model.slope),
  )


def sampler(
  config: ml_collections.ConfigDict,
) -> Callable[[PyTree, Latents], Images]:
  """`sample(variables, latents)`: images in [-1, 1] of a trained generator.

  Batches are normalised by the running statistics, so that a latent's image
  does not depend on its neighbours. The samplers of one network share their
  compiled programs.

  Args:
    config: the training's config.
  """
  generator, _ = build(config)
  return functools.partial(_sample, generator)


@functools.partial(jax.jit, static_argnums=0)
def _sample(
  generator: nn.Module, variables: PyTree, latents: Latents
) -> Images:
  return generator.apply(variables, latents, train=False)


def calibrator(
  config: ml_collections.ConfigDict,
) -> Callable[[PyTree], PyTree]:
  """`calibrate(params)`: a generator's variables, with fresh statistics.

  They are those of 512 latents in one batch. A running mean of parameters
  needs them: the running mean of the statistics does not belong to it.

  Args:
    config: the training's config.

  References: Brock et al., Large Scale GAN Training, 2019, section 4.1,
    "standing statistics".
  """
  generator, _ = build(config)
  # Without momentum a batch leaves nothing of what they were.
  generator = generator.clone(momentum=0.0)

  @jax.jit
  def calibrate(params: PyTree) -> PyTree:
    latents = jax.random.normal(jax.random.key(0), (512, config.model.latent))
    blank = generator.init(jax.random.key(0), latents[:2], train=False)
    _, moved = generator.apply(
      {"params": params, "batch_stats": blank["batch_stats"]},
      latents,
      train=True,
      mutable=["batch_stats"],
    )
    return {"params": params, "batch_stats": moved["batch_stats"]}

  return calibrate
