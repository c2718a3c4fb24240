"""Feature extractors by name: a network, a layer and the means over its pixels.

The names are NET_LAYER. Metrics compare the features of two sets of images;
which networks a training has used decides which of them are independent.
"""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
from jaxtyping import Array, Float

from astgan import arrays, errors
from astgan.features import random_convolutions, vgg
from astgan.features import weights as pretrained

Apply = Callable[[Any, arrays.Images], Float[Array, "b d"]]


class Extractor(NamedTuple):
  """A pure function from images to features, and its parameters.

  Attributes:
    name: the name that `load` was given.
    params: a pytree of arrays, the first argument of `apply`.
    apply: (params, images in [0, 1], [b s s 3]) to float32 features [b d].
  """

  name: str
  params: Any
  apply: Apply


def load(name: str, weights: str = "auto") -> Extractor:
  """The extractor of that name.

  Args:
    name: one of `names()`. `vgg16_relu3` is the last ReLU of the third block.
      `random` needs no weights.
    weights: as in `astgan.features.weights.load`.

  Raises:
    errors.UserError: unknown name, or no source has the weights.
  """
  if name not in APPLIES:
    raise errors.UserError(
      f"{name!r} is no feature network; there are {', '.join(names())}"
    )
  net = net_of(name)
  if net == "random":
    params = random_convolutions.init()
  else:
    params = pretrained.load(net, weights)
  return Extractor(name, params, APPLIES[name])


def names() -> tuple[str, ...]:
  """The names that `load` knows."""
  return tuple(APPLIES)


def net_of(name: str) -> str:
  """The network of an extractor: `vgg16` of `vgg16_relu3`."""
  return name.partition("_")[0]


def _precise(apply, params, images):
  """In full float32: accelerators round the factors of products otherwise."""
  with jax.default_matmul_precision("highest"):
    return apply(params, images)


def _vgg(params, images, *, tap):
  return vgg.apply(params, images, (tap,))[tap].mean((1, 2))


def _vgg_blocks(net):
  for block, depth in enumerate(vgg.BLOCKS[net], start=1):
    tap = f"relu{block}_{depth}"
    yield f"{net}_relu{block}", functools.partial(_vgg, tap=tap)


APPLIES: dict[str, Apply] = {
  name: functools.partial(_precise, apply)
  for name, apply in (
    *_vgg_blocks("vgg16"),
    *_vgg_blocks("vgg19"),
    ("random", random_convolutions.apply),
  )
}
