"""Feature extractors by name: a network, a layer and the means over its pixels.

The names are NET_LAYER. Metrics compare the features of two sets of images;
which networks a training has used decides which of them are independent.
"""

import functools
import pathlib
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from astgan import arrays, errors
from astgan.features import (
  alexnet,
  files,
  inception,
  random_convolutions,
  vgg,
)
from astgan.features import weights as pretrained

# The file of Inception by which FID and KID are published.
INCEPTION = "pt_inception-2015-12-05-6726825d.pth"
# The size that AlexNet's deep layers want: at 64 pixels they have 3 x 3.
ALEXNET_SIDE = 128

Apply = Callable[[Any, arrays.Images], Float[Array, "b d"]]


class Extractor(NamedTuple):
  """A pure function from images to features, and its parameters.

  Attributes:
    name: the name that `load` was given.
    params: a pytree of arrays, the first argument of `apply`.
    apply: (params, images in [0, 1], [b s s 3]) to float32 features [b d].
    is_published: whether its distances are FID and KID: those of the published
      file of Inception.
  """

  name: str
  params: Any
  apply: Apply
  is_published: bool = False


def load(name: str, weights: str = "auto") -> Extractor:
  """The extractor of that name.

  Args:
    name: one of `names()`. `vgg16_relu3` is the last ReLU of the third block;
      `alexnet` joins relu3 to relu5 of images that are resized to 128 pixels;
      `inception` is that of the Frechet Inception distance.
    weights: as in `astgan.features.weights.load`. `random` needs none,
      `inception` needs a path.

  Raises:
    errors.UserError: unknown name, or no source has the weights.
  """
  if name not in APPLIES:
    raise errors.UserError(
      f"{name!r} is no feature network; there are {', '.join(names())}"
    )
  net, is_published = net_of(name), False
  if net == "random":
    if weights not in ("auto", "random"):
      raise errors.UserError(f"random convolutions have no file; got {weights}")
    params = random_convolutions.init()
  else:
    params = pretrained.load(net, weights)
  if net == "inception" and weights != "random":
    path = pathlib.Path(weights).expanduser()
    is_published = files.is_published(path, INCEPTION)
  return Extractor(name, params, APPLIES[name], is_published)


def names() -> tuple[str, ...]:
  """The names that `load` knows."""
  return tuple(APPLIES)


def net_of(name: str) -> str:
  """The network of an extractor: `vgg16` of `vgg16_relu3`."""
  return name.partition("_")[0]


def _vgg(params, images, *, tap):
  return vgg.apply(params, images, (tap,))[tap].mean((1, 2))


def _vgg_blocks(net):
  for block, depth in enumerate(vgg.BLOCKS[net], start=1):
    tap = f"relu{block}_{depth}"
    yield f"{net}_relu{block}", functools.partial(_vgg, tap=tap)


def _alexnet(params, images, *, taps):
  layers = alexnet.apply(params, images, taps).values()
  return jnp.concatenate([layer.mean((1, 2)) for layer in layers], axis=1)


def _alexnet_resized(params, images):
  shape = (len(images), ALEXNET_SIDE, ALEXNET_SIDE, 3)
  images = jax.image.resize(images, shape, "bilinear")
  return _alexnet(params, images, taps=alexnet.TAPS[2:])


APPLIES: dict[str, Apply] = {
  name: arrays.precise(apply)
  for name, apply in (
    *_vgg_blocks("vgg16"),
    *_vgg_blocks("vgg19"),
    *(
      (f"alexnet_{tap}", functools.partial(_alexnet, taps=(tap,)))
      for tap in alexnet.TAPS
    ),
    ("alexnet", _alexnet_resized),
    ("random", random_convolutions.apply),
    ("inception", inception.apply),
  )
}
