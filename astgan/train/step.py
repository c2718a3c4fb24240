"""One update of both networks: pure, and a function of its arguments alone."""

import functools
from collections.abc import Callable

import flax.linen as nn
import jax
import jax.numpy as jnp
import ml_collections
import optax
from jax import lax
from jaxtyping import PyTree

from astgan import arrays
from astgan.arrays import Bytes, Images, Latents
from astgan.data import augment
from astgan.losses import adversarial
from astgan.models import build
from astgan.train import optim, state

Scalars = dict[str, jax.Array]
Update = Callable[
  [state.GANState, Images, Latents], tuple[state.GANState, Scalars]
]


def make_update(
  config: ml_collections.ConfigDict, *, axis_name: str | None = None
) -> Update:
  """`update(state, images, latents) -> (state, scalars)` of the config.

  The discriminator learns first, from real and generated images as two batches
  of its batch normalisation; then the generator, on the same generated images
  and against the discriminator just updated.

  Args:
    config: the whole config.
    axis_name: the mapped axis over which gradients, statistics and scalars
      are averaged; None for one device.

  References: Goodfellow et al., 2014, algorithm 1 with k = 1; Radford et al.,
    2015.
  """
  generator, discriminator = build.build(config, axis_name=axis_name)
  optimizer = optim.adam(config.train)
  mean = functools.partial(_mean_over, axis_name)

  def update(
    old: state.GANState, images: Images, latents: Latents
  ) -> tuple[state.GANState, Scalars]:
    # fakes = G(z), once; its pullback serves the generator's turn below.
    fakes, pull_back, generator_stats = jax.vjp(
      functools.partial(_generate, generator, old.generator.stats, latents),
      old.generator.params,
      has_aux=True,
    )

    # D minimises -log D(x) - log(1 - D(G(z))).
    def discriminator_loss(params: PyTree) -> tuple[jax.Array, tuple]:
      judge = functools.partial(_judge, discriminator, params)
      real_logits, stats = judge(old.discriminator.stats, images)
      fake_logits, stats = judge(stats, fakes)
      losses = adversarial.logistic_discriminator(
        real_logits, fake_logits, real_label=_real_label(config, old.step)
      )
      return jnp.mean(losses), (real_logits, fake_logits, stats)

    (loss, (real_logits, fake_logits, discriminator_stats)), gradients = (
      jax.value_and_grad(discriminator_loss, has_aux=True)(
        old.discriminator.params
      )
    )
    new_discriminator = _descend(
      optimizer, old.discriminator, mean(gradients), mean(discriminator_stats)
    )

    # G minimises -log D(G(z)): through D to the pixels, then through G.
    def generator_loss(fakes: Images) -> jax.Array:
      logits, _ = _judge(
        discriminator, new_discriminator.params, new_discriminator.stats, fakes
      )
      return jnp.mean(adversarial.nonsaturating_generator(logits))

    generator_loss_value, towards_pixels = jax.value_and_grad(generator_loss)(
      fakes
    )
    (gradients,) = pull_back(towards_pixels)
    new_generator = _descend(
      optimizer, old.generator, mean(gradients), mean(generator_stats)
    )

    scalars = {
      "generator/loss": generator_loss_value,
      "discriminator/loss": loss,
      "discriminator/real_accuracy": _share(real_logits > 0),
      "discriminator/fake_accuracy": _share(fake_logits < 0),
      "discriminator/real_probability": jnp.mean(jax.nn.sigmoid(real_logits)),
      "discriminator/fake_probability": jnp.mean(jax.nn.sigmoid(fake_logits)),
    }
    new = old.replace(
      step=old.step + 1,
      generator=new_generator,
      discriminator=new_discriminator,
      ema=_moved(old.ema, new_generator.params, config.train.ema),
    )
    return new, mean(scalars)

  return update


def make_step(
  config: ml_collections.ConfigDict, *, axis_name: str | None = None
) -> Callable[[state.GANState, Bytes], tuple[state.GANState, Scalars]]:
  """`step(state, images)`: draws this step's chance and calls the update.

  The images are bytes, [b s s 3], this device's share of the batch. What is
  drawn depends on nothing but (key, step, device).
  """
  update = make_update(config, axis_name=axis_name)

  def step(
    old: state.GANState, images: Bytes
  ) -> tuple[state.GANState, Scalars]:
    latent_key, augment_key = step_keys(old.key, old.step, axis_name)
    images = augment.augment(
      augment_key, images, size=config.data.size, flip=config.data.flip
    )
    shape = (images.shape[0], config.model.latent)
    latents = jax.random.normal(latent_key, shape)
    return update(old, arrays.bytes_to_signed(images), latents)

  return step


def step_keys(
  key: jax.Array, step: jax.Array, axis_name: str | None
) -> tuple[jax.Array, jax.Array]:
  """Keys of one step on one device: for latents and for augmentation."""
  key = jax.random.fold_in(jax.random.wrap_key_data(key), step)
  device = 0 if axis_name is None else lax.axis_index(axis_name)
  latent_key, augment_key = jax.random.split(jax.random.fold_in(key, device))
  return latent_key, augment_key


def _generate(
  generator: nn.Module, stats: PyTree, latents: Latents, params: PyTree
) -> tuple[Images, PyTree]:
  variables = {"params": params, "batch_stats": stats}
  images, moved = generator.apply(
    variables, latents, train=True, mutable=["batch_stats"]
  )
  return images, moved["batch_stats"]


def _judge(
  discriminator: nn.Module, params: PyTree, stats: PyTree, images: Images
) -> tuple[jax.Array, PyTree]:
  variables = {"params": params, "batch_stats": stats}
  logits, moved = discriminator.apply(
    variables, images, train=True, mutable=["batch_stats"]
  )
  return logits, moved["batch_stats"]


def _descend(
  optimizer: optax.GradientTransformation,
  old: state.Network,
  gradients: PyTree,
  stats: PyTree,
) -> state.Network:
  # optax raises floats to integers, which strict promotion would refuse.
  with jax.numpy_dtype_promotion("standard"):
    updates, moments = optimizer.update(gradients, old.moments, old.params)
  params = optax.apply_updates(old.params, updates)
  return state.Network(params, stats, moments)


def _real_label(
  config: ml_collections.ConfigDict, step: jax.Array
) -> jax.Array:
  return jnp.where(
    step < config.train.late_step,
    config.train.real_label,
    config.train.real_label_late,
  )


def _moved(ema: PyTree | None, new: PyTree, decay: float) -> PyTree | None:
  if ema is None:
    return None
  return jax.tree.map(lambda e, x: decay * e + (1 - decay) * x, ema, new)


def _share(hits: jax.Array) -> jax.Array:
  return jnp.mean(hits.astype(jnp.float32))


def _mean_over(axis_name: str | None, tree: PyTree) -> PyTree:
  return tree if axis_name is None else lax.pmean(tree, axis_name)
