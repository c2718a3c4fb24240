"""Features mixed over channels and scales by fixed random 1x1 convolutions.

A discriminator of such mixtures cannot rely on a few channels of a network that
another purpose has trained, and its shallow inputs hold the deep ones as well.

From the deepest tap to the shallowest, y = C x + up(M z): x are the features of
a tap, each channel standardised, z what came out for the tap before, doubled in
size by nearest neighbours. The published mixing adds before it convolves, at
twice the size; both are linear and random.

References: Sauer, Chitta, Müller and Geiger, Projected GANs Converge Faster,
  2021, section 3.2.
"""

from collections.abc import Mapping

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from astgan.arrays import Features
from astgan.models import resampling

# Channels that come out for the shallowest tap; each deeper one has twice as
# many, up to the largest.
CHANNELS, LARGEST = 64, 256

Params = dict[str, dict[str, Float[Array, "..."]]]


def init(
  means: Mapping[str, Float[np.ndarray, "_c"]],
  deviations: Mapping[str, Float[np.ndarray, "_c"]],
) -> Params:
  """The mean and the scale of each channel, and the kernels C and M.

  The kernels are the same everywhere: they follow from the bits of a generator
  by exact operations. Their variance is 1 / inputs, and 1 / (2 inputs) where
  two of them are added. A channel that hardly varies among the images that
  give the deviations may do so among others; none is divided by less than a
  tenth of the tap's median.

  Args:
    means, deviations: of the channels of each tap, from the shallowest tap to
      the deepest.
  """
  params, deeper = {}, 0
  rng = np.random.default_rng(0)
  for place, (tap, mean) in reversed(list(enumerate(means.items()))):
    channels, deviation = channels_at(place), deviations[tap]
    found = {
      "mean": mean,
      "scale": np.maximum(deviation, np.median(deviation) / 10),
      "C": _kernel(rng, len(mean), channels, 2 if deeper else 1),
    }
    if deeper:
      found["M"] = _kernel(rng, deeper, channels, 2)
    params[tap] = {
      name: jnp.asarray(array, jnp.float32) for name, array in found.items()
    }
    deeper = channels
  return params


def channels_at(place: int) -> int:
  """Channels that come out for a tap, counted from the shallowest at 0."""
  return min(CHANNELS * 2**place, LARGEST)


def apply(
  params: Params, features: Mapping[str, Features]
) -> dict[str, Float[Array, "b _h _w _c"]]:
  """The mixtures by tap.

  Args:
    params: from `init`.
    features: by tap, from the shallowest, whose sides halve from tap to tap.
  """
  mixed, z = {}, None
  for tap, x in reversed(features.items()):
    of_tap = params[tap]
    mean, scale = (of_tap[name][None, None, None] for name in ("mean", "scale"))
    x = (x - mean) / scale
    y = jnp.einsum("bhwc,co->bhwo", x, of_tap["C"])
    if z is not None:
      y = y + resampling.upsample(jnp.einsum("bhwc,co->bhwo", z, of_tap["M"]))
    mixed[tap] = z = y
  return mixed


def _kernel(rng, inputs, outputs, terms):
  # The uniform distribution of variance 1 / (terms inputs).
  bound = np.sqrt(3 / (terms * inputs))
  return (2 * rng.random((inputs, outputs)) - 1) * bound
