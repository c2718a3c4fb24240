"""What the two networks of system `gan` minimise, as `config.loss` says."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import jax
import jax.numpy as jnp
import ml_collections
from jaxtyping import PyTree

from astgan import checks, errors
from astgan.arrays import Images, Logits, PerExample
from astgan.losses import adversarial, penalties
from astgan.systems import interface


class _Losses(NamedTuple):
  generator: Callable[..., PerExample]
  discriminator: Callable[..., PerExample]
  # The logit between real and generated; None where a constant added to all
  # logits changes no loss, so that none is meant.
  boundary: float | None = None
  # Factor on `detectors.logit_margin`, the gap of logits that is sure. Logistic
  # losses ask for ever larger gaps, least squares for that of their labels, 1
  # or less, and hinges for that of their margins, 2.
  margin_scale: float = 1.0
  # Whether the discriminator's loss takes labels, which can be smoothed.
  has_labels: bool = False
  # Whether each generated image is judged relative to a real one.
  is_paired: bool = False


LOSSES = {
  "nonsaturating": _Losses(
    adversarial.nonsaturating_generator,
    adversarial.logistic_discriminator,
    boundary=0.0,
    has_labels=True,
  ),
  "minimax": _Losses(
    adversarial.minimax_generator,
    adversarial.logistic_discriminator,
    boundary=0.0,
    has_labels=True,
  ),
  "least_squares": _Losses(
    adversarial.least_squares_generator,
    adversarial.least_squares_discriminator,
    boundary=0.5,
    margin_scale=0.08,
    has_labels=True,
  ),
  "hinge": _Losses(
    adversarial.hinge_generator,
    adversarial.hinge_discriminator,
    boundary=0.0,
    margin_scale=0.2,
  ),
  "wasserstein": _Losses(
    adversarial.wasserstein_generator, adversarial.wasserstein_discriminator
  ),
  "relativistic": _Losses(
    adversarial.relativistic_generator,
    adversarial.relativistic_discriminator,
    is_paired=True,
  ),
}
PENALTIES = ("none", "gradient", "r1", "r1_r2")

Score = Callable[[Images], Logits]


def discriminator_loss(
  loss: ml_collections.ConfigDict,
  real_logits: Logits,
  fake_logits: Logits,
  *,
  step: jax.Array,
  draws: Mapping[str, PyTree],
) -> jax.Array:
  """The mean loss of a batch, without penalty.

  Args:
    loss: the section `loss` of the config.
    real_logits, fake_logits: of real and of generated images.
    step: completed generator updates, for the label's switch.
    draws: `real_flips` and `fake_flips`, the examples whose label is wrong, if
      the config asks for label noise.
  """
  losses = LOSSES[loss.name]
  if not losses.has_labels:
    return jnp.mean(losses.discriminator(real_logits, fake_logits))
  real_label = jnp.where(
    step < loss.late_step, loss.real_label, loss.real_label_late
  )
  fake_label = jnp.zeros(())
  if loss.label_noise:
    real, fake = real_label, fake_label
    real_label = jnp.where(draws["real_flips"], fake, real)
    fake_label = jnp.where(draws["fake_flips"], real, fake)
  return jnp.mean(
    losses.discriminator(
      real_logits, fake_logits, real_label=real_label, fake_label=fake_label
    )
  )


def generator_loss(
  loss: ml_collections.ConfigDict,
  score_real: Callable[[], Logits],
  fake_logits: Logits,
) -> jax.Array:
  """The mean loss of a batch.

  Args:
    loss: the section `loss` of the config.
    score_real: the logits of the real images, which only a paired loss needs.
    fake_logits: of generated images.
  """
  losses = LOSSES[loss.name]
  if losses.is_paired:
    return jnp.mean(losses.generator(score_real(), fake_logits))
  return jnp.mean(losses.generator(fake_logits))


def penalty(
  loss: ml_collections.ConfigDict,
  score_real: Score,
  score_fake: Score,
  real_images: Images,
  fake_images: Images,
  draws: Mapping[str, PyTree],
) -> jax.Array:
  """The weighted penalty of a batch, before the factor of a lazy one.

  Lambda times the gradient penalty, or gamma / 2 times R1 or R1 + R2.

  Args:
    loss: the section `loss` of the config.
    score_real, score_fake: images to logits, with the augmentation that the
      real and the generated images get; gradients pass through it.
    real_images, fake_images: before augmentation.
    draws: `alpha`, the mixing weights of the gradient penalty.
  """
  if loss.penalty == "gradient":
    values = penalties.gradient_penalty(
      score_real, real_images, fake_images, draws["alpha"]
    )
    return loss.penalty_weight * jnp.mean(values)
  values = penalties.r1(score_real, real_images)
  if loss.penalty == "r1_r2":
    values = values + penalties.r1(score_fake, fake_images)
  return loss.penalty_weight / 2 * jnp.mean(values)


def check_bounded(
  loss: ml_collections.ConfigDict, *, is_spectral: bool = False
) -> None:
  """Raises UserError if nothing bounds the slope of a Wasserstein critic."""
  is_penalised = loss.penalty != "none" and loss.penalty_weight
  is_bounded = is_penalised or loss.weight_clip or is_spectral
  if loss.name == "wasserstein" and not is_bounded:
    raise errors.UserError(
      "config.loss.name=wasserstein needs a Lipschitz critic; set"
      " config.loss.penalty and its weight, config.loss.weight_clip, or a"
      " discriminator with config.model.spectral_norm where the system has it"
    )


def margin_scale(system: interface.System) -> float:
  """That of the loss which the system's config names."""
  return LOSSES[system.config.loss.name].margin_scale


def check(config: ml_collections.ConfigDict) -> None:
  """Raises UserError naming the first field that cannot be, with the reason."""
  checks.fields(
    config,
    "loss",
    *("name", "real_label", "real_label_late", "late_step", "label_noise"),
    *("penalty", "penalty_weight", "penalty_every", "weight_clip"),
  )
  checks.one_of(config, "loss.name", tuple(LOSSES))
  checks.one_of(config, "loss.penalty", PENALTIES)
  for name in ("real_label", "real_label_late"):
    checks.within(config, f"loss.{name}", 0, 1, open_low=True)
  checks.within(config, "loss.late_step", 0)
  checks.within(config, "loss.label_noise", 0, 1, open_high=True)
  checks.within(config, "loss.penalty_weight", 0)
  checks.within(config, "loss.penalty_every", 1)
  checks.within(config, "loss.weight_clip", 0)
  loss = config.loss
  labels = (loss.real_label, loss.real_label_late, loss.label_noise)
  if not LOSSES[loss.name].has_labels and labels != (1, 1, 0):
    raise errors.UserError(
      f"config.loss.name={loss.name} has no labels to smooth or to flip; set"
      " config.loss.real_label=1, real_label_late=1 and label_noise=0"
    )
