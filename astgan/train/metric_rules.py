"""Signs of failure in the metrics of a training, each a pure rule.

A rule looks at the last `evaluations` evaluations since the last roll-back; a
condition must hold at all of them. Where several feature networks measure the
same, one of them suffices. See `detectors`.
"""

import ml_collections

from astgan import history


def low_diversity(
  seen: history.History, limits: ml_collections.ConfigDict
) -> str | None:
  """Generated images are far more alike than real ones: modes collapsed.

  The mean pairwise distance of their features is below a share of that of the
  real images. At the start of a training it is low as well, but rises: the
  last half of the evaluations has a mean above that of the first half by a
  quarter. A single evaluation above the one before is jitter.

  References: Salimans et al., Improved Techniques for Training GANs, 2016,
    section 3.2 (collapse to one point).
  """
  for name in seen.names("diversity"):
    values = _last(seen, name, limits)
    half = max(1, len(values) // 2)
    is_rising = sum(values[-half:]) > 1.25 * sum(values[:half])
    if values and max(values) < limits.diversity and not is_rising:
      return (
        "the diversity collapsed: generated images differ"
        f" {values[-1]:.3g} times as much as real ones ({name})"
      )
  return None


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
  names = seen.names(metric)
  values = _last(seen, names[-1], limits) if names else []
  if not limits.metric_factor or not values:
    return None
  is_higher = history.is_higher_better(metric)
  sign = -1.0 if is_higher else 1.0
  best = min(sign * value for _, value in seen.named(metric))
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
  for name in seen.names("authenticity"):
    net = name.removeprefix("authenticity")
    values = _last(seen, name, limits)
    diversities = _last(seen, f"diversity{net}", limits)
    is_copying = values and max(values) < limits.authenticity
    if is_copying and min(diversities, default=0) >= 0.5:
      return (
        f"the generator memorises: an authenticity of {values[-1]:.3g}, where"
        f" new images have about 0.5 ({name})"
      )
  return None


def _last(
  seen: history.History, name: str, limits: ml_collections.ConfigDict
) -> list[float]:
  """The values of the last evaluations; [] if there are not so many."""
  points = seen.points.get(name, [])
  values = [value for step, value in points if step > seen.since]
  count = limits.evaluations
  return values[-count:] if len(values) >= count else []
