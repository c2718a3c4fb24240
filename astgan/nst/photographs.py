"""The photographs to paint, and the files of their paintings."""

import hashlib
import logging
import pathlib
from typing import NamedTuple

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from astgan import errors
from astgan.data import images

logger = logging.getLogger(__name__)

# Key of the PNG text entry that holds the fingerprint of the photograph.
_ORIGIN = "astgan: SHA-256 of the photograph"


class Photograph(NamedTuple):
  """A readable photograph and its fingerprint, the SHA-256 of its file."""

  path: pathlib.Path
  fingerprint: str

  def pixels(self, longer_side: int) -> UInt8[np.ndarray, "h w 3"]:
    """The photograph at the size of the painting."""
    return images.fit(images.read(self.path), longer_side)


def find(content: str, *, longer_side: int, min_side: int) -> list[Photograph]:
  """The photograph of that path, or those of the folder.

  Unreadable files of a folder are skipped with one warning.

  Args:
    content: `paint.content`.
    longer_side: longer side of the paintings, in pixels.
    min_side: lower bound of the shorter side, in pixels.

  Raises:
    UserError: the path does not exist, no photograph can be painted, or two
      photographs have the same painting file.
  """
  if not content:
    raise errors.UserError(
      "paint.content is empty; name a photograph or a folder of them"
    )
  paths = images.find(pathlib.Path(content).expanduser())
  _check_stems(paths)
  photographs, failures = [], []
  for path in paths:
    try:
      height, width, _ = images.read(path).shape
      shorter = longer_side * min(height, width) / max(height, width)
      if shorter < min_side:
        raise errors.UserError(
          f"{path}: {width}x{height} is too narrow to paint at"
          f" paint.size={longer_side}: its shorter side would have"
          f" {shorter:.0f} pixels, {min_side} are needed; crop it or paint it"
          " larger"
        )
    except errors.UserError as error:
      failures.append(error)
    else:
      fingerprint = hashlib.sha256(path.read_bytes()).hexdigest()
      photographs.append(Photograph(path, fingerprint))
  if not photographs:
    if len(failures) == 1:
      raise failures[0]
    raise errors.UserError(
      f"{content}: none of its {len(paths)} images can be painted; the"
      f" first: {failures[0]}"
    )
  if failures:
    logger.warning(
      "content: %d of %d images were skipped; the first: %s",
      len(failures),
      len(paths),
      failures[0],
    )
  return photographs


def _check_stems(paths):
  seen = {}
  for path in paths:
    if path.stem in seen:
      raise errors.UserError(
        f"{seen[path.stem]} and {path} would both be painted into"
        f" {path.stem}.png; rename one"
      )
    seen[path.stem] = path


def is_painted(photograph: Photograph, painting: pathlib.Path) -> bool:
  """Whether the painting of this photograph exists.

  Raises:
    UserError: the file was painted from another photograph.
  """
  if not painting.exists():
    return False
  with Image.open(painting) as image:
    fingerprint = image.info.get(_ORIGIN)
  if fingerprint != photograph.fingerprint:
    raise errors.UserError(
      f"{painting} was painted from another photograph than"
      f" {photograph.path}; rename the photograph or use another --workdir"
    )
  return True


def write_painting(
  painting: pathlib.Path,
  pixels: UInt8[np.ndarray, "h w 3"],
  photograph: Photograph,
) -> None:
  """Writes the painting with the fingerprint of its photograph."""
  images.write(painting, pixels, text={_ORIGIN: photograph.fingerprint})
