"""Systems that train decoders of VGG19's features, to paint any style."""

import dataclasses
import functools
from collections.abc import Callable, Iterable, Mapping, Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PyTree

from astgan import arrays, checks
from astgan.arrays import Features, Images
from astgan.features import weights
from astgan.losses import perceptual
from astgan.models import decoder
from astgan.systems import (
  decoded,
  encoding,
  interface,
  painters,
  supervised,
)


def reconstruction(
  again: Images, images: Images
) -> dict[str, Float[Array, ""]]:
  """Scalars of how well images in [-1, 1] were decoded.

  Returns: `pixel_loss`, the mean of squared differences, and `psnr` in dB, the
    mean over the images, for values whose peak is 2; that of an image is at
    most 100, so that an exact one does not make it infinite.
  """
  squares = jnp.mean((again - images) ** 2, axis=(1, 2, 3))
  psnr = jnp.mean(10 * jnp.log10(4 / jnp.maximum(squares, 4e-10)))
  return {"pixel_loss": jnp.mean(squares), "psnr": psnr}


def relative_error(found: Features, target: Features) -> Float[Array, ""]:
  """mean (F - P)^2 / mean P^2 of each example, as a mean over them."""
  squares = jnp.mean(target**2, axis=(1, 2, 3))
  return jnp.mean(perceptual.content(found, target) / squares)


def blend(
  describe: Callable[[Iterable[painters.Pixels]], PyTree],
  groups: Sequence[painters.Group],
) -> PyTree:
  """The sum of what describes each style, times its weight.

  Args:
    describe: of the images of a style.
    groups: the styles.
  """
  described = [
    jax.tree.map(
      lambda x, weight=group.weight: weight * x, describe(group.images)
    )
    for group in groups
  ]
  return jax.tree.map(lambda *x: sum(x), *described)


@dataclasses.dataclass(frozen=True, eq=False)
class Decoding(supervised.Supervised):
  """What such systems share; a system adds `transfers` and a loss.

  Attributes:
    config: a training config with the sections of the system's page.
  """

  def __post_init__(self) -> None:
    checks.fields(self.config, "features", "weights")
    super().__post_init__()

  def transfers(
    self,
    params: dict[str, PyTree],
    net: PyTree,
    groups: Sequence[painters.Group],
  ) -> Sequence[decoded.Transfer]:
    """What becomes of the features at each decoder, in their order.

    Args:
      params: of the system's networks, by name.
      net: of VGG19.
      groups: the style, as a `painters.StylePainter` is told it.
    """
    raise NotImplementedError

  def decoders(self) -> dict[str, decoder.Decoder]:
    """Those of the networks that are decoders."""
    return {
      name: module
      for name, module in self.modules().items()
      if isinstance(module, decoder.Decoder)
    }

  def examples(self) -> dict[str, Features]:
    """Features of the decoders' layers."""
    return {
      name: jnp.zeros((1, 4, 4, decoder.channels(module.block)))
      for name, module in self.decoders().items()
    }

  def load_frozen(self) -> PyTree:
    """VGG19."""
    return weights.load(encoding.NET, self.config.features.weights)

  def decode(
    self, params: dict[str, PyTree], name: str, features: Features
  ) -> Float[Array, "b height width 3"]:
    """Images of features, by the decoder of that name."""
    return self.modules()[name].apply({"params": params[name]}, features)

  def samples(
    self,
    state: interface.TrainState,
    frozen: PyTree,
    batch: Mapping[str, Images],
  ) -> dict[str, Float[Array, "b height width c"]]:
    """Photographs, paintings, and the one in the style of the other."""
    painter = self._painter(state)._replace(load=lambda: frozen)
    columns = [batch["photographs"], batch["paintings"]]
    pairs = [np.asarray(arrays.signed_to_unit(column)) for column in columns]
    painted = [
      painter.tell([painters.Group(1.0, [style])], strength=1.0).paint(
        photograph, "painting"
      )
      for photograph, style in zip(*pairs, strict=True)
    ]
    columns.append(arrays.unit_to_signed(jnp.asarray(np.stack(painted))))
    return {"painted": jnp.concatenate(columns, axis=2)}

  def sampler(self, state: interface.TrainState) -> decoded.StylePainter:
    """The decoders, their moving averages where they are kept."""
    return self._painter(state)

  def _painter(self, state):
    params = self.params(state)
    return decoded.StylePainter(
      {"painting": params},
      self.decoders(),
      self.load_frozen,
      functools.partial(self.transfers, params),
    )
