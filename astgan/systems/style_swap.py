"""System `style_swap`: a decoder, which paints with patches of a style.

Every 3x3 patch of the features of a photograph is exchanged for the most
similar one of the style, and what results is decoded. The decoder learns to
invert the features of images, and such features.

References: Chen and Schmidt, Fast Patch-based Style Transfer of Arbitrary
  Style, 2016.
"""

import dataclasses
import functools
from collections.abc import Mapping, Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PyTree

from astgan import arrays, checks, errors
from astgan.arrays import Images
from astgan.losses import perceptual
from astgan.models import decoder, patch_swap, rows
from astgan.systems import (
  decoded,
  decoding,
  encoding,
  interface,
  painters,
)


@dataclasses.dataclass(frozen=True, eq=False)
class StyleSwap(decoding.Decoding):
  """A decoder from relu3_1 or relu4_1 as the config describes it.

  Attributes:
    config: a training config with the sections of configs/style_swap.py.
  """

  def __post_init__(self) -> None:
    config = self.config
    checks.fields(config, "model", "width", "block", "patches", "dtype")
    checks.fields(config, "loss", "pixel_weight", "tv_weight")
    super().__post_init__()
    checks.one_of(config, "model.block", (3, 4))
    checks.within(config, "model.patches", 1, 1_000_000)
    checks.within(config, "loss.pixel_weight", 0)
    checks.within(config, "loss.tv_weight", 0)

  def modules(self) -> dict[str, decoder.Decoder]:
    """The inverse network."""
    model = self.config.model
    dtype = jnp.dtype(model.dtype)
    return {"decoder": decoder.Decoder(model.block, model.width, dtype)}

  def loss(
    self,
    params: dict[str, PyTree],
    batch: Mapping[str, Images],
    draws: PyTree,
    frozen: PyTree,
  ) -> tuple[jax.Array, interface.Scalars]:
    """How far decoded features are off: of images, and swapped ones.

    The paper's equation 6, as a share of the mean square of the features, and
    the pixels of the images, which it leaves to the features.
    """
    del draws
    fields, blocks = self.config.loss, (self.config.model.block,)
    images = jnp.concatenate([batch["paintings"], batch["photographs"]])
    (features,) = encoding.encode(frozen, images, blocks)
    styles, contents = jnp.split(features, 2)
    swapped = [
      patch_swap.swap(content[None], patch_swap.patches(style[None]))
      for content, style in zip(contents, styles, strict=True)
    ]
    target = jnp.concatenate([features, *swapped])
    again = self.decode(params, "decoder", target)
    (found,) = encoding.encode(frozen, again, blocks)
    off = decoding.relative_error(found, target)
    pixels = decoding.reconstruction(again[: len(images)], images)
    smoothness = jnp.mean(perceptual.total_variation(again))
    total = (
      off
      + fields.pixel_weight * pixels["pixel_loss"]
      + fields.tv_weight * smoothness
    )
    return total, {
      "decoder/feature_loss": off,
      "decoder/pixel_loss": pixels["pixel_loss"],
      "decoder/tv_loss": smoothness,
      "decoder/psnr": pixels["psnr"],
      "decoder/loss": total,
    }

  def transfers(
    self,
    params: dict[str, PyTree],
    net: PyTree,
    groups: Sequence[painters.Group],
  ) -> tuple[decoded.Transfer]:
    """To patches of all styles, of each as many as its weight says."""
    del params
    encode = functools.partial(_encode, net, block=self.config.model.block)
    most = self.config.model.patches
    style = [
      _sample(encode, group.images, max(1, round(group.weight * most)))
      for group in groups
    ]
    style = jnp.asarray(np.concatenate(style))
    return (functools.partial(_transfer, style=style),)


def _transfer(
  features: rows.Host, *, style: patch_swap.Patches
) -> decoded.Change:
  """To patches of the style, each row by those that cover it."""
  height = features.shape[1]

  def change(own: slice) -> Float[Array, "1 _ _ _"]:
    seen = rows.widen(own, height, patch_swap.SIDE - 1)
    changed = _swap(jnp.asarray(features[:, seen]), style)
    return changed[:, own.start - seen.start :][:, : own.stop - own.start]

  return change


def _sample(encode, images, most) -> Float[np.ndarray, "n 3 3 c"]:
  """Patches of all images, at most so many, each with the same chance.

  Each patch draws a number, and those of the lowest are kept. Only features
  leave the device: all patches of them are nine times as large.
  """
  draws = np.random.default_rng(0)
  kept = numbers = None
  for image in images:
    features = np.asarray(encode(jnp.asarray(image[None])))[0]
    if min(features.shape[:2]) < patch_swap.SIDE:
      continue
    sides = (patch_swap.SIDE, patch_swap.SIDE)
    windows = np.lib.stride_tricks.sliding_window_view(features, sides, (0, 1))
    drawn = draws.uniform(size=windows.shape[0] * windows.shape[1])
    chosen = np.sort(np.argsort(drawn)[:most])
    found = windows[np.unravel_index(chosen, windows.shape[:2])]
    found, drawn = np.moveaxis(found, 1, -1), drawn[chosen]  # [n, 3, 3, c]
    if kept is not None:
      found = np.concatenate([kept, found])
      drawn = np.concatenate([numbers, drawn])
      chosen = np.sort(np.argsort(drawn)[:most])
      found, drawn = found[chosen], drawn[chosen]
    kept, numbers = found, drawn
  if kept is None:
    raise errors.UserError(
      "paint.style: its images are too narrow for a patch of features; raise"
      " paint.style_size"
    )
  return kept


@functools.partial(jax.jit, static_argnames="block")
def _encode(
  net: PyTree, images: Images, *, block: int
) -> Float[Array, "1 _ _ channels"]:
  signed = arrays.unit_to_signed(images)
  (features,) = encoding.encode(net, signed, (block,))
  return features


_swap = jax.jit(patch_swap.swap)
