"""Sizes of a painting: from coarse to fine, and in tiles by memory."""

import math

from astgan import errors
from astgan.features import vgg
from astgan.nst import network, objective, stylize, tiles

# Bytes of a layer's feature in the gradient of an image: the convolution, what
# follows it, and their gradients while they are needed. Measured.
_BYTES_PER_FEATURE = 18
# Arrays as large as the painting: the state, its gradient, the photograph.
_ARRAYS = {"adam": 10, "lbfgs": 30}
# The share of the memory that is left which painting plans with.
_SHARE = 0.8
# Sides of tiles, the largest that fits is taken.
TILES = (1024, 512, 256, 128)


def pyramid(size: int, coarsest: int) -> tuple[int, ...]:
  """Longer sides from about `coarsest` to `size`, each sqrt(2) of the last."""
  if not coarsest or coarsest >= size:
    return (size,)
  levels = round(2 * math.log2(size / coarsest))
  return tuple(
    round(size / 2 ** (level / 2)) for level in range(levels, -1, -1)
  )


def bytes_per_pixel(net: network.Network, taps: tuple[str, ...]) -> float:
  """Memory of the features of one pixel in a gradient, in bytes."""
  deepest = max(net.geometry(tap) for tap in taps)
  features = 0.0
  for block, depth in enumerate(vgg.BLOCKS[net.net], start=1):
    for index in range(1, depth + 1):
      layer = net.geometry(f"conv{block}_{index}")
      if layer <= deepest:
        features += vgg.CHANNELS[block - 1] / layer.stride**2
  return _BYTES_PER_FEATURE * features


def choose(
  target: objective.Objective,
  shape: tuple[int, int],
  *,
  optimizer: stylize.Optimizer | None,
  tile: int,
  available: int,
  margin: int = 0,
) -> objective.Whole | tiles.Tiled:
  """The whole image at once, or in tiles where memory is short.

  Args:
    target: the terms and their network.
    shape: height and width of the painting, or of a style image.
    optimizer: over the pixels of a painting; None for a style image.
    tile: side of the tiles; 0 chooses the largest that fit, or none.
    available: memory that is left, in bytes.
    margin: width of that of the shape, in pixels, which a user does not count.

  Raises:
    UserError: not even small tiles fit, or not those of `tile`.
  """
  each = bytes_per_pixel(target.network, target.taps)
  state = _state_bytes(target, optimizer)
  pixels, room = math.prod(shape), _SHARE * available

  def fits(window: int) -> bool:
    """Whether the features of so many pixels fit beside the painting."""
    return window * each + pixels * state <= room

  if fits(pixels) and not tile:
    return objective.Whole(target)
  for side in (tile,) if tile else TILES:
    tiled = tiles.Tiled(target, side)
    window = math.prod(tiled.windows(shape)[0])
    if fits(window):
      return tiled
  if tile:
    raise errors.UserError(
      f"paint.tile={tile} needs more memory than the"
      f" {available / 2**30:.1f} GiB that are left; 0 chooses what fits"
    )
  # Windows of other shapes may be larger.
  largest = 0.95 * math.sqrt(max(0, room - window * each) / state)
  largest *= max(shape) / math.sqrt(pixels)
  field = "paint.size" if optimizer else "paint.style_size"
  raise errors.UserError(
    f"{field}={max(shape) - 2 * margin} needs more memory than the"
    f" {available / 2**30:.1f} GiB that are left, even in tiles; what fits is"
    f" about {max(0, int(largest) - 2 * margin)}"
  )


def _state_bytes(target, optimizer):
  """Bytes per pixel of what is as large as the painting."""
  if optimizer is None:
    return 12
  layers = {
    tap
    for item in target.items
    if item.name == "content"
    for tap in item.term.taps
  }
  content = sum(
    512 * 4 / target.network.geometry(tap).stride ** 2 for tap in layers
  )
  return 12 * _ARRAYS[optimizer.name] + content
