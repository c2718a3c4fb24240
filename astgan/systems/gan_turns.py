"""The turns of a GAN's step, and their chance."""

import jax
import ml_collections
from jaxtyping import PyTree

from astgan import checks
from astgan.data import diff_augment


def names(
  loss: ml_collections.ConfigDict, step: int, *, k: int
) -> tuple[str, ...]:
  """k - 1 of "discriminator", then "both"; "+penalty" where one is due.

  Args:
    loss: the section `loss` of the config.
    step: completed steps.
    k: turns of a step.
  """
  turns = ("discriminator",) * (k - 1) + ("both",)
  if loss.penalty == "none":
    return turns
  return tuple(
    name if (step * k + i) % loss.penalty_every else f"{name}+penalty"
    for i, name in enumerate(turns, 1)
  )


def draw(
  config: ml_collections.ConfigDict, key: jax.Array, count: int, *, size: int
) -> dict[str, PyTree]:
  """Latents, and what the penalty, noisy labels and DiffAugment need.

  Args:
    config: the whole config.
    key: of a turn.
    count: of examples.
    size: side of the images in pixels.
  """
  loss, augment = config.loss, config.diff_augment
  key, latent_key, alpha_key = jax.random.split(key, 3)
  shape = (count, config.model.latent_dim)
  draws = {"latents": jax.random.normal(latent_key, shape)}
  if loss.penalty == "gradient":
    draws["alpha"] = jax.random.uniform(alpha_key, (count,))
  for i, kind in enumerate(("real", "fake")):
    flip_key, augment_key = jax.random.split(jax.random.fold_in(key, i))
    if loss.label_noise:
      draws[f"{kind}_flips"] = jax.random.bernoulli(
        flip_key, loss.label_noise, (count,)
      )
    if augment.policy:
      draws[kind] = draw_changes(augment, augment_key, count, size=size)
  return draws


def draw_changes(
  augment: ml_collections.ConfigDict,
  key: jax.Array,
  count: int,
  *,
  size: int,
) -> diff_augment.Draws:
  """How DiffAugment changes images.

  Args:
    augment: the section `diff_augment` of the config.
    key: of these images.
    count: of them.
    size: their side in pixels.
  """
  return diff_augment.draw(
    key,
    count,
    size=size,
    policy=tuple(augment.policy),
    cutout_size=augment.cutout_size,
  )


def check(config: ml_collections.ConfigDict, *others: str) -> None:
  """Raises UserError naming a field of `diff_augment` that cannot be.

  Args:
    config: the whole config.
    others: fields that the section has beside those of every system.
  """
  checks.fields(config, "diff_augment", "policy", "cutout_size", *others)
  checks.subset_of(config, "diff_augment.policy", diff_augment.POLICY)
  checks.within(config, "diff_augment.cutout_size", 0, 1)
