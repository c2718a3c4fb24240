"""Style pictures: one, a folder of them, or a batch that a generator draws."""

import contextlib
import dataclasses
import hashlib
import pathlib
import sys
from collections.abc import Iterator, Mapping, Sequence

import jax
import jax.numpy as jnp
import ml_collections
import numpy as np
from jaxtyping import UInt8

from astgan import arrays, errors, sampling
from astgan.data import images

# Pictures shown in style.png, and their side there.
_SHOWN = 64
_THUMBNAIL = 96
# Pictures in memory are continued to this many pixels.
_SIDE = 256


@dataclasses.dataclass(frozen=True)
class Files:
  """Style pictures in files.

  Args:
    paths: the files, at least one of them readable.
    longer_side: of every picture, in pixels.
  """

  paths: Sequence[pathlib.Path]
  longer_side: int

  def __len__(self) -> int:
    return len(self.paths)

  def __iter__(self) -> Iterator[arrays.Images]:
    """Arrays [1 h w 3] in [0, 1]; what cannot be read is left out."""
    # A folder of many shapes would compile the feature network for each: in
    # groups, shorter sides are stretched to multiples of 16 pixels.
    grain = 16 if len(self.paths) > 1 else 1
    failures = []
    for picture in self._readable(failures):
      height, width = images.fitted(picture.shape[:2], self.longer_side)
      shape = (_round(height, grain), _round(width, grain))
      yield _unit(images.resize(picture, *shape)[None])
    if failures:
      print(
        f"style: {len(failures)} of {len(self.paths)} pictures were skipped;"
        f" the first: {failures[0]}",
        file=sys.stderr,
      )

  def sheet(self) -> UInt8[np.ndarray, "h w 3"]:
    """The first pictures in one, as squares."""
    squares = [
      images.resize(images.centre_square(picture), _THUMBNAIL, _THUMBNAIL)
      for picture, _ in zip(self._readable([]), range(_SHOWN), strict=False)
    ]
    return images.grid(np.stack(squares), columns=8)

  def facts(self) -> dict[str, object]:
    """How many files, and the SHA-256 of their bytes, one after the other."""
    sha256 = hashlib.sha256()
    for path in self.paths:
      with contextlib.suppress(OSError):  # It is left out of the style, too.
        sha256.update(path.read_bytes())
    return {"pictures": len(self), "sha256": sha256.hexdigest()}

  def _readable(self, failures: list[str]) -> Iterator[images.Picture]:
    for path in self.paths:
      try:
        yield images.read(path)
      except errors.UserError as error:
        failures.append(str(error))


@dataclasses.dataclass(frozen=True)
class Drawn:
  """Small style pictures in memory, such as a generator draws.

  The feature network pads with zeros, and of 64 by 64 pixels a large share
  lies near that edge: a painting that matches their Gram matrices gets a white
  and gaudy frame. So each picture is continued by its mirror images on all
  sides before it is described, which adds neither seams nor new textures.

  Args:
    pictures: bytes, all of one shape.
    origin: facts about what drew them.
  """

  pictures: UInt8[np.ndarray, "m h w 3"]
  origin: Mapping[str, object]

  def __len__(self) -> int:
    return len(self.pictures)

  def __iter__(self) -> Iterator[arrays.Images]:
    """Arrays [1 h w 3] in [0, 1], their sides at least 256."""
    height, width = self.pictures.shape[1:3]
    margins = [_margins(height), _margins(width), (0, 0)]
    for picture in self.pictures:
      yield _unit(np.pad(picture, margins, mode="symmetric")[None])

  def sheet(self) -> UInt8[np.ndarray, "h w 3"]:
    """The first pictures in one."""
    return images.grid(self.pictures[:_SHOWN], columns=8)

  def facts(self) -> dict[str, object]:
    """How many pictures, and what drew them."""
    return {"pictures": len(self), **self.origin}


def open_style(
  config: ml_collections.ConfigDict, key: jax.Array
) -> Files | Drawn:
  """The pictures that `paint.style` names.

  A folder with a config.json is a training run's, and its generator draws
  `paint.style_batch` pictures.

  Args:
    config: the whole config.
    key: of the generator's latents.

  Raises:
    UserError: nothing is there, nothing can be read, or a run folder has no
      checkpoints.
  """
  paint = config.paint
  if not paint.style:
    raise errors.UserError(
      "paint.style is empty; name a picture, a folder of pictures or a run"
    )
  path = pathlib.Path(paint.style).expanduser()
  if (path / "config.json").is_file():
    trained = sampling.load(path)
    drawn = trained.generator.sample(key, paint.style_batch)
    pictures = np.asarray(arrays.signed_to_bytes(drawn))
    if paint.style_size:
      pictures = np.stack(
        [images.fit(picture, paint.style_size) for picture in pictures]
      )
    return Drawn(pictures, _origin(trained))
  paths = images.find(path)
  style = Files(paths, paint.style_size or paint.size)
  if len(paths) == 1:
    images.read(paths[0])
  elif next(iter(style), None) is None:
    raise errors.UserError(
      f"{path}: none of its {len(paths)} pictures can be read"
    )
  return style


def _origin(trained: sampling.Trained) -> dict[str, object]:
  # Of the parameters, not the pictures, whose last bits depend on the device.
  sha256 = hashlib.sha256()
  for array in jax.tree.leaves(trained.generator.variables["params"]):
    sha256.update(np.asarray(array).tobytes())
  return {"step": trained.step, "sha256": sha256.hexdigest()}


def _margins(side: int) -> tuple[int, int]:
  missing = max(0, _SIDE - side)
  return missing // 2, missing - missing // 2


def _round(side: int, grain: int) -> int:
  return max(16, grain * round(side / grain))


def _unit(pictures: UInt8[np.ndarray, "b h w 3"]) -> arrays.Images:
  return arrays.bytes_to_unit(jnp.asarray(pictures))
