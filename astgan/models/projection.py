"""Features mixed over channels and scales by fixed random 1x1 convolutions.

A discriminator of such mixtures cannot rely on a few channels of a network that
another purpose has trained, and its shallow inputs hold the deep ones as well.

From the deepest tap to the shallowest, y = C x + up(M z): x are the features of
a tap, each channel standardised, z what came out for the tap before, doubled in
size by nearest neighbours. The published mixing adds before it convolves, at
twice the size; both are linear and random. It does not standardise, but the raw
activations of a VGG are far from the unit size that the heads are made for.

References: Sauer, Chitta, Müller and Geiger, Projected GANs Converge Faster,
  2021, section 3.2.
"""

from collections.abc import Mapping

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from astgan.arrays import Features
from astgan.models import resampling

# Channels that come out for the shallowest tap; each deeper one has twice as
# many, up to the largest.
CHANNELS, LARGEST = 64, 256

Params = dict[str, dict[str, Float[Array, "..."]]]
# Mean and mean square of each channel by tap.
Moments = dict[str, dict[str, Float[Array, "_c"]]]


def init(channels: Mapping[str, int]) -> Params:
  """The kernels C and M by tap.

  They are the same everywhere: they follow from the bits of a generator by
  exact operations. Their variance is 1 / inputs, and 1 / (2 inputs) where two
  of them are added.

  Args:
    channels: of each tap, from the shallowest tap to the deepest.
  """
  params, deeper = {}, 0
  rng = np.random.default_rng(0)
  for place, (tap, inputs) in reversed(list(enumerate(channels.items()))):
    outputs = channels_at(place)
    found = {"C": _kernel(rng, inputs, outputs, 2 if deeper else 1)}
    if deeper:
      found["M"] = _kernel(rng, deeper, outputs, 2)
    params[tap] = {
      name: jnp.asarray(array, jnp.float32) for name, array in found.items()
    }
    deeper = outputs
  return params


def moments(features: Mapping[str, Float[Array, "_b _h _w _c"]]) -> Moments:
  """The mean and the mean square of each channel of a batch, float32."""
  found = {}
  for tap, x in features.items():
    x = x.astype(jnp.float32)
    axes = (0, 1, 2)
    found[tap] = {"mean": jnp.mean(x, axes), "square": jnp.mean(x**2, axes)}
  return found


def channels_at(place: int) -> int:
  """Channels that come out for a tap, counted from the shallowest at 0."""
  return min(CHANNELS * 2**place, LARGEST)


def apply(
  params: Params, moments: Moments, features: Mapping[str, Features]
) -> dict[str, Float[Array, "b _h _w _c"]]:
  """The mixtures by tap, in the dtype of the features.

  Args:
    params: from `init`.
    moments: by which each channel is standardised.
    features: by tap, from the shallowest, whose sides halve from tap to tap.
  """
  mixed, z = {}, None
  for tap, x in reversed(features.items()):
    kernels = jax.tree.map(lambda k, x=x: k.astype(x.dtype), params[tap])
    x = _standardise(x, moments[tap])
    y = jnp.einsum("bhwc,co->bhwo", x, kernels["C"])
    if z is not None:
      y = y + resampling.upsample(jnp.einsum("bhwc,co->bhwo", z, kernels["M"]))
    mixed[tap] = z = y
  return mixed


def _standardise(x, moments):
  """Each channel minus its mean, over its standard deviation.

  A channel that hardly varies among the images that the moments are of may do
  so among others: none is divided by less than a tenth of the tap's median.
  """
  mean, square = moments["mean"], moments["square"]
  deviation = jnp.sqrt(jnp.maximum(square - mean**2, 0))
  # Images of one colour have none.
  least = jnp.maximum(jnp.median(deviation) / 10, 1e-6)
  scale = jnp.maximum(deviation, least)
  mean, scale = (part[None, None, None] for part in (mean, scale))
  return ((x.astype(jnp.float32) - mean) / scale).astype(x.dtype)


def _kernel(rng, inputs, outputs, terms):
  # The uniform distribution of variance 1 / (terms inputs).
  bound = np.sqrt(3 / (terms * inputs))
  return (2 * rng.random((inputs, outputs)) - 1) * bound
