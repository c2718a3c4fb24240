"""Signs of failure in the scalars of a training, each a pure rule.

A rule looks at the lines of the last `patience` updates; a condition must hold
on all of them. See `detectors`.
"""

from collections.abc import Callable

import ml_collections

from astgan import history

# Lines in a window from which a rule may hold.
FEWEST = 5


def pinned(
  seen: history.History, limits: ml_collections.ConfigDict, network: str
) -> str | None:
  """The discriminator classifies every image of every batch correctly.

  Then its gradient carries no information for the generator. Systems whose
  logits have no meaningful zero, such as critics, report no accuracy. Healthy
  trainings have such times as well, hence the mean gap of the logits.

  References: Arjovsky and Bottou, Towards Principled Methods for Training
    Generative Adversarial Networks, 2017, theorem 2.4.
  """
  gaps = _gaps(seen, limits, network)
  if not limits.logit_margin or not gaps:
    return None
  gap = sum(gaps) / len(gaps)
  if gap < limits.logit_margin:
    return None
  for kind in ("real", "fake"):
    name = f"{network}/{kind}_accuracy"
    if not _always(seen, limits, name, lambda x: x == 1):
      return None
  return (
    f"the {_words(network)} is pinned: it has classified every image correctly"
    f" for {limits.patience} updates, with logits {gap:.3g} apart on average"
  )


def diverging_logits(
  seen: history.History, limits: ml_collections.ConfigDict, network: str
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
  gaps = _gaps(seen, limits, network)
  if not limits.logit_gap or len(gaps) < FEWEST:
    return None
  means = _means(gaps, len(gaps) // 4)[:4]
  grows = means == sorted(means) and means[-1] > 1.25 * abs(means[0])
  if not grows or means[-1] < limits.logit_gap:
    return None
  return (
    f"the logits of the {_words(network)} diverge: their gap grew through"
    f" {limits.patience} updates to {means[-1]:.3g}"
  )


def blind(
  seen: history.History, limits: ml_collections.ConfigDict, network: str
) -> str | None:
  """The discriminator gives the same answer to all images, real or generated.

  One accuracy is 1 and the other 0 on every line. An undecided discriminator,
  the goal of the game, has both between.
  """
  for kind, other in (("real", "fake"), ("fake", "real")):
    one, zero = (f"{network}/{x}_accuracy" for x in (kind, other))
    if _always(seen, limits, one, lambda x: x == 1) and _always(
      seen, limits, zero, lambda x: x == 0
    ):
      return (
        f"the {_words(network)} is blind: it has called every image {kind} for"
        f" {limits.patience} updates"
      )
  return None


def dead(
  seen: history.History, limits: ml_collections.ConfigDict, network: str
) -> str | None:
  """The gradient of a network has vanished.

  A generator learns no more, as with a minimax loss that saturates; a
  discriminator teaches nothing, as with units that are never active again or a
  hinge loss with all logits beyond its margins.

  References: Goodfellow et al., Generative Adversarial Nets, 2014, section 3;
    Arjovsky and Bottou, 2017.
  """
  name = f"{network}/gradient_norm"
  if not _always(seen, limits, name, lambda x: x < limits.gradient_norm):
    return None
  return (
    f"the {_words(network)} is dead: its gradient norm has been below"
    f" {limits.gradient_norm:.3g} for {limits.patience} updates"
  )


def diverging_loss(
  seen: history.History, limits: ml_collections.ConfigDict, network: str
) -> str | None:
  """A loss without an adversary is far above what it was, and stays there.

  Each quarter of the window has a mean above `loss_factor` times the lowest
  mean of as many lines before the window. Where networks play against each
  other the rule never holds: there the loss of one rises as another learns. Nor
  does it where losses can be 0 or below.
  """
  name = f"{network}/loss"
  values = seen.window(name, limits.patience)
  quarter = len(values) // 4
  is_game = any(name.endswith("discriminator/loss") for name in seen.points)
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


Rule = Callable[[history.History, ml_collections.ConfigDict, str], str | None]

# By the name of a scalar that a network reports: its rules, by the names that
# they have in alarms.
OF_NETWORKS: dict[str, dict[str, Rule]] = {
  "real_accuracy": {"pinned_{}": pinned, "blind_{}": blind},
  "real_logit": {"diverging_logits_of_{}": diverging_logits},
  "gradient_norm": {"dead_{}": dead},
  "loss": {"diverging_{}": diverging_loss},
}


def _words(network: str) -> str:
  """`painting_discriminator` in words."""
  return network.replace("_", " ")


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
  seen: history.History, limits: ml_collections.ConfigDict, network: str
) -> list[float]:
  """Mean logit of real images minus that of generated ones, by line."""
  names = (f"{network}/real_logit", f"{network}/fake_logit")
  logits = [seen.window(name, limits.patience) for name in names]
  return [real - fake for real, fake in zip(*logits, strict=False)]
