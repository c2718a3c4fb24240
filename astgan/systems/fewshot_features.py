"""The frozen network through which system `fewshot` sees its images."""

import itertools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import ml_collections
from jaxtyping import PyTree

from astgan import checks, errors
from astgan.arrays import Images, signed_to_unit
from astgan.features import vgg, weights
from astgan.models import patches, projection

# Real images that give the mean and the deviation of each channel, at least.
_MEASURED = 64

Frozen = dict[str, Any] | None


def load(config: ml_collections.ConfigDict) -> Frozen:
  """The parameters of the frozen network and of the projection, if any.

  The network computes in `model.dtype`.

  Raises:
    UserError: no source has the weights.
  """
  section = config.features
  if not section.layers:
    return None
  try:
    params = weights.load(section.net, section.weights)
  except errors.UserError as error:
    raise errors.UserError(
      f"config.features.weights: {error}; config.features.layers=() trains"
      " without them"
    ) from error
  dtype = jnp.dtype(config.model.dtype)
  net = {
    # The mean and the scale of the pixels stay as they are.
    name: jax.tree.map(lambda x: x.astype(dtype), part)
    if name.startswith("conv")
    else part
    for name, part in params.items()
  }
  return {"net": net, "projection": projection.init(_channels(config))}


def features(
  config: ml_collections.ConfigDict, frozen: Frozen, images: Images
) -> vgg.Layers:
  """Features of the frozen network; of images in [-1, 1], [b s s 3].

  Pooled by averages: the maxima it was trained with pass the gradients of one
  pixel in four to the generator.
  """
  layers = config.features.layers
  if not layers:
    return {}
  images = signed_to_unit(images)
  return vgg.apply(frozen["net"], images, layers, pooling="average")


def first_moments(config: ml_collections.ConfigDict) -> projection.Moments:
  """What `measure` begins with; {} without a frozen network."""
  return {
    layer: {"mean": jnp.zeros(count), "square": jnp.ones(count)}
    for layer, count in _channels(config).items()
  }


def measure(
  config: ml_collections.ConfigDict,
  moments: projection.Moments,
  real_features: vgg.Layers,
  step: jax.Array,
  *,
  mean: Callable[[PyTree], PyTree],
) -> projection.Moments:
  """The moments of the first training images of a run, as they are augmented.

  They move in the first updates that see features, until these have seen 64
  images or more, and then stay. A run that goes on has those of its checkpoint.

  Args:
    config: the whole config.
    moments: after the updates before.
    real_features: of this device's share of the batch.
    step: completed steps.
    mean: over the devices.
  """
  number = step // config.features.every
  enough = -(-_MEASURED // config.train.batch_size)
  weight = jnp.where(number < enough, 1 / (number + 1), 0).astype(jnp.float32)
  new = mean(projection.moments(real_features))
  return jax.tree.map(lambda x, y: (1 - weight) * x + weight * y, moments, new)


def check(config: ml_collections.ConfigDict) -> None:
  """Raises UserError naming the first field that cannot be."""
  checks.fields(config, "features", "net", "weights", "layers", "every")
  checks.one_of(config, "features.net", tuple(vgg.BLOCKS))
  checks.filled(config, "features.weights")
  checks.within(config, "features.every", 1, 10_000)
  layers = tuple(config.features.layers)
  ends = [
    f"relu{i}_{n}" for i, n in enumerate(vgg.BLOCKS[config.features.net], 1)
  ]
  checks.subset_of(config, "features.layers", tuple(ends))
  blocks = [block_of(layer) for layer in layers]
  if any(after != before + 1 for before, after in itertools.pairwise(blocks)):
    raise errors.UserError(
      f"config.features.layers={layers} leave a block out or are not in order;"
      f" name neighbours of {', '.join(ends)}"
    )
  if layers and config.data.size >> blocks[-1] - 1 < patches.SMALLEST:
    raise errors.UserError(
      f"config.features.layers: {layers[-1]} of images of {config.data.size}"
      f" pixels has less than {patches.SMALLEST} a side; leave it out"
    )
  if not (layers or config.model.sees_pixels):
    raise errors.UserError(
      "config.model.sees_pixels is off and config.features.layers is empty, so"
      " that the discriminator sees nothing; set one of them"
    )
  if layers and config.features.every > 1 and not config.model.sees_pixels:
    raise errors.UserError(
      f"config.features.every={config.features.every} and model.sees_pixels is"
      " off, so that most updates would see nothing; set 1, or sees_pixels"
    )


def _channels(config: ml_collections.ConfigDict) -> dict[str, int]:
  """Of the frozen network's layers."""
  layers = config.features.layers
  return {layer: vgg.CHANNELS[block_of(layer) - 1] for layer in layers}


def block_of(layer: str) -> int:
  """The number of the block of a layer such as relu2_2."""
  return int(layer.removeprefix("relu").partition("_")[0])
