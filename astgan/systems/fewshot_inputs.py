"""What goes into an update of system `fewshot`.

Chance, and the pixels and features that its discriminator sees.
"""

import functools
import itertools
from typing import Any

import jax
import jax.numpy as jnp
import ml_collections
import numpy as np
from jaxtyping import PyTree

from astgan import checks, errors
from astgan.arrays import Features, Images, signed_to_unit
from astgan.data import diff_augment, landscapes
from astgan.features import vgg, weights
from astgan.metrics import moments
from astgan.models import patches, projection

# Landscapes that give the mean and the deviation of each channel.
_EXAMPLES = 32

Frozen = dict[str, Any] | None


def load(config: ml_collections.ConfigDict) -> Frozen:
  """The parameters of the frozen network and of the projection, if any.

  Channels are standardised by built-in landscapes, so that a run does not
  depend on more than its config and its images.

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
  features = functools.partial(
    vgg.apply, taps=tuple(section.layers), pooling="average"
  )
  with jax.default_matmul_precision("highest"):
    found = _moments(jax.jit(features), params, config.data.size)
  means = {layer: x.mean for layer, x in found.items()}
  deviations = {
    layer: np.sqrt(np.diag(x.scatter) / x.count) for layer, x in found.items()
  }
  return {"net": params, "projection": projection.init(means, deviations)}


def _moments(features, params, size):
  """The moments of the channels by layer."""
  found = {}
  for i in range(_EXAMPLES):
    image = landscapes.draw(i, size=size)
    image = jnp.asarray(image[None], jnp.float32) / 255
    for layer, values in jax.device_get(features(params, image)).items():
      part = moments.of(values.reshape(-1, values.shape[-1]))
      found[layer] = moments.merge(found[layer], part) if i else part
  return found


def extract(
  config: ml_collections.ConfigDict, frozen: Frozen, images: Images
) -> dict[str, Features]:
  """Pixels and projected features by the names of the heads.

  Args:
    config: the whole config.
    frozen: from `load`.
    images: in [-1, 1], [b s s 3].
  """
  inputs = {"pixels": images} if config.model.sees_pixels else {}
  if not config.features.layers:
    return inputs
  features = vgg.apply(
    frozen["net"],
    signed_to_unit(images),
    config.features.layers,
    pooling="average",
  )
  return inputs | projection.apply(frozen["projection"], features)


def examples(config: ml_collections.ConfigDict) -> dict[str, Features]:
  """Zeros in the shapes that `extract` gives, for the initialisation."""
  size = config.data.size
  shapes = {"pixels": (size, 3)} if config.model.sees_pixels else {}
  for place, layer in enumerate(config.features.layers):
    side = size >> _block(layer) - 1
    shapes[layer] = (side, projection.channels_at(place))
  return {
    name: jnp.zeros((2, side, side, channels))
    for name, (side, channels) in shapes.items()
  }


def draw(
  config: ml_collections.ConfigDict, key: jax.Array, count: int, *, size: int
) -> dict[str, PyTree]:
  """Latents, and the augmentation of real and of generated images.

  Args:
    config: the whole config.
    key: of an update on a device.
    count: of examples.
    size: side of the images in pixels.
  """
  augment = config.diff_augment
  latent_key, *keys = jax.random.split(key, 3)
  shape = (count, config.model.latent_dim)
  draws = {"latents": jax.random.normal(latent_key, shape)}
  if augment.policy:
    for kind, key in zip(("real", "fake"), keys, strict=True):
      chance_key, change_key = jax.random.split(key)
      changes = diff_augment.draw(
        change_key,
        count,
        size=size,
        policy=tuple(augment.policy),
        cutout_size=augment.cutout_size,
      )
      draws[kind] = {
        "chance": jax.random.uniform(chance_key, (count,)),
        "changes": changes,
      }
  return draws


def check(config: ml_collections.ConfigDict) -> None:
  """Raises UserError naming the first field that cannot be."""
  checks.fields(config, "features", "net", "weights", "layers")
  checks.one_of(config, "features.net", tuple(vgg.BLOCKS))
  checks.filled(config, "features.weights")
  layers = tuple(config.features.layers)
  ends = [
    f"relu{i}_{n}" for i, n in enumerate(vgg.BLOCKS[config.features.net], 1)
  ]
  checks.subset_of(config, "features.layers", tuple(ends))
  blocks = [_block(layer) for layer in layers]
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


def _block(layer: str) -> int:
  return int(layer.removeprefix("relu").partition("_")[0])
