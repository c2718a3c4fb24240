"""Signs that a training has failed, each a pure rule over its scalars.

A rule takes the history of a run and the section `detectors` of its config,
and returns the reason in words, or None. A rule whose scalars a system does not
report never holds. A condition must hold on all lines of the last `patience`
updates, or at the last `evaluations` evaluations; a threshold of 0 is off.

A value that is not finite needs no rule: the loop looks at all scalars that it
reads, and at every state before it is saved.
"""

import itertools
from collections.abc import Callable

import ml_collections

from astgan import history

# Lines in a window from which a rule may hold.
FEWEST = 5

# What follows the name of a network in that of a scalar.
_GRADIENT_NORM = "/gradient_norm"
_LOSS = "/loss"

Rule = Callable[[history.History, ml_collections.ConfigDict], str | None]


def pinned_discriminator(
  seen: history.History, limits: ml_collections.ConfigDict
) -> str | None:
  """The discriminator classifies every image of every batch correctly.

  Then its gradient carries no information for the generator. Systems whose
  logits have no meaningful zero, such as critics, report no accuracy.

  References: Arjovsky and Bottou, Towards Principled Methods for Training
    Generative Adversarial Networks, 2017, theorem 2.4.
  """
  if not limits.logit_margin:
    return None
  if not _always(seen, limits, "discriminator/real_accuracy", lambda x: x == 1):
    return None
  if not _always(seen, limits, "discriminator/fake_accuracy", lambda x: x == 1):
    return None
  gaps = _gaps(seen, limits)
  if not gaps or min(gaps) < limits.logit_margin:
    return None
  return (
    "the discriminator is pinned: it has classified every image correctly for"
    f" {limits.patience} updates, with logits at least {min(gaps):.3g} apart"
  )


def diverging_logits(
  seen: history.History, limits: ml_collections.ConfigDict
) -> str | None:
  """The gap between the mean logits is large and still grows.

  Each quarter of the window has a larger mean gap than the one before, and the
  last a larger one than the first by a quarter. Early in a healthy training
  this holds as well, hence the threshold: the gap of a 1-Lipschitz critic is at
  most the distance between two images in [-1, 1], 2 sqrt(3) s at s pixels a
  side, which is 222 at 64 and 887 at 256.

  References: Gulrajani et al., Improved Training of Wasserstein GANs, 2017,
    section 3 (critics whose gradients explode or vanish).
  """
  gaps = _gaps(seen, limits)
  if not limits.logit_gap or len(gaps) < FEWEST:
    return None
  means = _means(gaps, len(gaps) // 4)[:4]
  grows = means == sorted(means) and means[-1] > 1.25 * abs(means[0])
  if not grows or means[-1] < limits.logit_gap:
    return None
  return (
    "the logits diverge: their gap grew through"
    f" {limits.patience} updates to {means[-1]:.3g}"
  )


def dead_network(
  seen: history.History, limits: ml_collections.ConfigDict, network: str
) -> str | None:
  """The gradient of a network has vanished.

  A generator learns no more, as with a minimax loss that saturates; a
  discriminator teaches nothing, as with units that are never active again or a
  hinge loss with all logits beyond its margins.

  References: Goodfellow et al., Generative Adversarial Nets, 2014, section 3;
    Arjovsky and Bottou, 2017.
  """
  name = network + _GRADIENT_NORM
  if not _always(seen, limits, name, lambda x: x < limits.gradient_norm):
    return None
  return (
    f"the {network.replace('_', ' ')} is dead: its gradient norm has been below"
    f" {limits.gradient_norm:.3g} for {limits.patience} updates"
  )


def blind_discriminator(
  seen: history.History, limits: ml_collections.ConfigDict
) -> str | None:
  """The discriminator gives the same answer to all images, real or generated.

  One accuracy is 1 and the other 0 on every line. An undecided discriminator,
  the goal of the game, has both between.
  """
  for seeing, missing in (("real", "fake"), ("fake", "real")):
    if _always(
      seen, limits, f"discriminator/{seeing}_accuracy", lambda x: x == 1
    ) and _always(
      seen, limits, f"discriminator/{missing}_accuracy", lambda x: x == 0
    ):
      return (
        f"the discriminator is blind: it has called every image {seeing} for"
        f" {limits.patience} updates"
      )
  return None


def diverging_loss(
  seen: history.History, limits: ml_collections.ConfigDict, name: str
) -> str | None:
  """A loss without an adversary is far above what it was, and stays there.

  Each quarter of the window has a mean above `loss_factor` times the lowest
  mean of as many lines before the window. Where networks play against each
  other the rule never holds: there the loss of one rises as another learns. Nor
  does it where losses can be 0 or below.
  """
  values = seen.window(name, limits.patience)
  quarter = len(values) // 4
  is_game = "discriminator/loss" in seen.points
  if not limits.loss_factor or len(values) < FEWEST or is_game:
    return None
  earlier = [value for _, value in seen.points[name][: -len(values)]]
  before, now = (
    _means(earlier, quarter),
    _means(values[-4 * quarter :], quarter),
  )
  lowest = min(before, default=0.0)
  if lowest <= 0 or min(now) <= limits.loss_factor * lowest:
    return None
  return (
    f"{name} diverges: a mean of at least {min(now):.3g} for {limits.patience}"
    f" updates, after {lowest:.3g}"
  )


def low_diversity(
  seen: history.History, limits: ml_collections.ConfigDict
) -> str | None:
  """Generated images are far more alike than real ones: modes collapsed.

  The mean pairwise distance of their features is below a share of that of the
  real images. At the start of a training it is low as well: a rise of a tenth
  since the evaluation before counts as recovery.

  References: Salimans et al., Improved Techniques for Training GANs, 2016,
    section 3.2 (collapse to one point).
  """
  points = seen.named("diversity")
  values = _last(seen, points, limits.evaluations)
  rises = any(
    after > 1.1 * before for before, after in itertools.pairwise(values)
  )
  if not values or rises or max(values) >= limits.diversity:
    return None
  return (
    "the diversity collapsed: generated images differ"
    f" {values[-1]:.3g} times as much as real ones"
  )


def past_best(
  seen: history.History, limits: ml_collections.ConfigDict, metric: str
) -> str | None:
  """The metric is far worse than it was.

  Each of the last evaluations is worse than `metric_factor` times the best, and
  worse by twice the metric's own standard deviation where it has one: an
  unbiased kernel distance can be close to 0 or below.

  References: Kang et al., StudioGAN, 2023, whose logs show such runs: a
    Frechet distance of 49 at 42,000 steps and of 137 at 200,000.
  """
  points = seen.named(metric)
  values = _last(seen, points, limits.evaluations)
  if not limits.metric_factor or not values:
    return None
  is_higher = history.is_higher_better(metric)
  sign = -1.0 if is_higher else 1.0
  best = min(sign * value for _, value in points)
  factor = limits.metric_factor
  loss = abs(best) * ((1 - 1 / factor) if is_higher else (factor - 1))
  deviations = seen.deviations(metric)
  margin = max(loss, 2 * max(deviations[-limits.evaluations :], default=0))
  if min(sign * value for value in values) - best <= margin:
    return None
  return (
    f"{metric} is past its best: {values[-1]:.4g} after {sign * best:.4g}, at"
    f" {limits.evaluations} evaluations in a row"
  )


def memorisation(
  seen: history.History, limits: ml_collections.ConfigDict
) -> str | None:
  """Generated images are copies of training images.

  Authenticity is the share of generated images that are farther from their
  nearest training image than that one is from its own nearest neighbour: near
  1/2 for new images of the same distribution, near 0 for copies. It is near 0
  as well for images close to the mean of all, as early ones can be. These are
  alike, copies are as diverse as what they copy: at least half as diverse.

  References: Alaa et al., How Faithful is your Synthetic Data?, 2022.
  """
  values, diversities = (
    _last(seen, seen.named(name), limits.evaluations)
    for name in ("authenticity", "diversity")
  )
  if not values or max(values) >= limits.authenticity:
    return None
  if not diversities or min(diversities) < 0.5:
    return None
  return (
    f"the generator memorises: an authenticity of {values[-1]:.3g}, where new"
    " images have about 0.5"
  )


RULES: dict[str, Rule] = {
  "pinned_discriminator": pinned_discriminator,
  "diverging_logits": diverging_logits,
  "blind_discriminator": blind_discriminator,
  "low_diversity": low_diversity,
  "memorisation": memorisation,
}


# Rules over evaluations; all others are over the last `patience` updates.
_OF_EVALUATIONS = ("low_diversity", "memorisation", "past_best")


def last_healthy(
  rule: str,
  seen: history.History,
  limits: ml_collections.ConfigDict,
  *,
  step: int,
  metric: str,
) -> int:
  """The last step before those by which a rule holds at `step`."""
  if rule not in _OF_EVALUATIONS:
    return step - limits.patience
  points = seen.named(metric)[-limits.evaluations :]
  return points[0][0] - 1 if points else step


def detect(
  seen: history.History, limits: ml_collections.ConfigDict, *, metric: str
) -> dict[str, str]:
  """The reasons of all rules that hold, by the name of the rule.

  Args:
    seen: all lines so far.
    limits: the section `detectors` of the config.
    metric: that of `past_best`.
  """
  reasons = {name: rule(seen, limits) for name, rule in RULES.items()}
  for name in seen.points:
    if name.endswith(_GRADIENT_NORM):
      network = name.removesuffix(_GRADIENT_NORM)
      reasons[f"dead_{network}"] = dead_network(seen, limits, network)
    elif name.endswith(_LOSS):
      network = name.removesuffix(_LOSS)
      reasons[f"diverging_{network}"] = diverging_loss(seen, limits, name)
  reasons["past_best"] = past_best(seen, limits, metric)
  return {name: reason for name, reason in reasons.items() if reason}


def _always(
  seen: history.History,
  limits: ml_collections.ConfigDict,
  name: str,
  holds: Callable[[float], bool],
) -> bool:
  """Whether a condition holds on all lines of the window, and these suffice."""
  values = seen.window(name, limits.patience)
  return len(values) >= FEWEST and all(map(holds, values))


def _means(values: list[float], count: int) -> list[float]:
  """The means of each `count` values; a rest is left out."""
  starts = range(0, len(values) - count + 1, count)
  return [sum(values[start : start + count]) / count for start in starts]


def _gaps(
  seen: history.History, limits: ml_collections.ConfigDict
) -> list[float]:
  """Mean logit of real images minus that of generated ones, by line."""
  names = ("discriminator/real_logit", "discriminator/fake_logit")
  logits = [seen.window(name, limits.patience) for name in names]
  return [real - fake for real, fake in zip(*logits, strict=False)]


def _last(
  seen: history.History, points: history.Points, count: int
) -> list[float]:
  """The values of the last evaluations; [] if there are not so many."""
  values = [value for step, value in points if step > seen.since]
  return values[-count:] if len(values) >= count else []
