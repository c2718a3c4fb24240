"""VGG19 as the encoder of painters, in scales that suit all layers."""

from jaxtyping import Array, Float, PyTree

from astgan import arrays
from astgan.arrays import Images
from astgan.features import vgg

NET = "vgg19"
# A frame of zeros would be a style of its own.
_PADDING = "replicate"
# Root mean squares of relu1_1 to relu5_1 on photographs and paintings. Features
# are divided by them, as the authors of AdaIN divide theirs by means: else
# relu4_1 has 300 times the part of relu1_1 in a sum of losses, and colours and
# lattices count for nothing.
_RMS = (0.72, 3.2, 3.9, 12.6, 1.5)


def layer(block: int) -> str:
  """The name of the layer of a block that is decoded."""
  return f"relu{block}_1"


def encode(
  net: PyTree, signed: Images, blocks: tuple[int, ...]
) -> tuple[Float[Array, "b _h _w _c"], ...]:
  """Features of images in [-1, 1] in the layers of the blocks.

  All layers have a mean square about 1 on photographs and paintings.
  """
  taps = tuple(map(layer, blocks))
  found = vgg.apply(net, arrays.signed_to_unit(signed), taps, padding=_PADDING)
  return tuple(found[layer(block)] / _RMS[block - 1] for block in blocks)
