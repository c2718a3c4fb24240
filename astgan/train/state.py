"""All that a training carries from one update to the next."""

import flax
import flax.linen as nn
import jax
import jax.numpy as jnp
import ml_collections
from jaxtyping import PyTree

from astgan.models import build
from astgan.train import optim


class Network(flax.struct.PyTreeNode):
  """One network's parameters, running batch statistics and optimiser state."""

  params: PyTree
  stats: PyTree
  moments: PyTree


class GANState(flax.struct.PyTreeNode):
  """The state of a training: arrays only, so that what is saved is all of it.

  Attributes:
    step: completed generator updates.
    key: raw key data of the run; it never changes, every step folds its number
      into it.
    generator, discriminator: the two networks.
    ema: running mean of the generator's parameters, or None.
  """

  # Typed as trees, like the networks' parts: JAX's transformations put shapes,
  # host arrays and the like in the places of arrays.
  step: PyTree
  key: PyTree
  generator: Network
  discriminator: Network
  ema: PyTree | None


def create(config: ml_collections.ConfigDict) -> GANState:
  """The state before the first update, a function of the config alone.

  Pure: `jax.jit` or `jax.eval_shape` a partial application of it.
  """
  generator, discriminator = build.build(config)
  key = jax.random.key(config.seed)
  generator_key, discriminator_key, run_key = jax.random.split(key, 3)
  optimizer = optim.adam(config.train)
  latents = jnp.zeros((2, config.model.latent))
  images = jnp.zeros((2, config.data.size, config.data.size, 3))

  def network(module: nn.Module, key: jax.Array, example: jax.Array):
    variables = module.init(key, example, train=False)
    params = variables["params"]
    return Network(params, variables["batch_stats"], optimizer.init(params))

  generator_network = network(generator, generator_key, latents)
  ema = None
  if config.train.ema:
    # A copy: the step donates the whole state, each buffer once.
    ema = jax.tree.map(jnp.copy, generator_network.params)
  return GANState(
    step=jnp.zeros((), jnp.int32),
    key=jax.random.key_data(run_key),
    generator=generator_network,
    discriminator=network(discriminator, discriminator_key, images),
    ema=ema,
  )
