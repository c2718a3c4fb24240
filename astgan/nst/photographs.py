"""The photographs to paint, each with the file that its painting goes to."""

import hashlib
import pathlib
import sys
from typing import NamedTuple

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from astgan import errors
from astgan.data import images

# The PNG text entry that says which photograph a painting was made from.
_ORIGIN = "astgan: SHA-256 of the photograph"


class Photograph(NamedTuple):
  """A readable photograph, and the SHA-256 of its file."""

  path: pathlib.Path
  digest: str

  def pixels(self, longer_side: int) -> UInt8[np.ndarray, "h w 3"]:
    """The photograph at the size it is painted in."""
    return images.fit(images.read(self.path), longer_side)


def find(content: str, *, longer_side: int, smallest: int) -> list[Photograph]:
  """The photograph named, or those of the folder named.

  What cannot be read in a folder is left out with one line that says so.

  Args:
    content: `paint.content`.
    longer_side: the size they will be painted in, in pixels.
    smallest: the fewest pixels that the other side may then have.

  Raises:
    UserError: nothing is there, the one photograph or all of a folder's cannot
      be used, or two would be painted into one file.
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
      if shorter < smallest:
        raise errors.UserError(
          f"{path}: {width}x{height} is too narrow to paint at"
          f" paint.size={longer_side}; crop it or paint it larger"
        )
    except errors.UserError as error:
      failures.append(error)
    else:
      digest = hashlib.sha256(path.read_bytes()).hexdigest()
      photographs.append(Photograph(path, digest))
  if not photographs:
    if len(failures) == 1:
      raise failures[0]
    raise errors.UserError(
      f"{content}: none of its {len(paths)} pictures can be painted; the"
      f" first: {failures[0]}"
    )
  if failures:
    print(
      f"content: {len(failures)} of {len(paths)} pictures were skipped; the"
      f" first: {failures[0]}",
      file=sys.stderr,
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
  """Whether the painting is there, made from this very photograph.

  Raises:
    UserError: it was made from another.
  """
  if not painting.exists():
    return False
  with Image.open(painting) as image:
    digest = image.info.get(_ORIGIN)
  if digest != photograph.digest:
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
  """Writes the painting, which remembers its photograph."""
  images.write(painting, pixels, text={_ORIGIN: photograph.digest})
