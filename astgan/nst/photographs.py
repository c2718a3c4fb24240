"""The photographs to paint, and the files of their paintings."""

import contextlib
import hashlib
import json
import logging
import pathlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

import jax.numpy as jnp
import ml_collections
import numpy as np
from jaxtyping import Float

from astgan import errors
from astgan.data import formats, image_files, images, rgba

logger = logging.getLogger(__name__)

# Names of what a painting says of itself.
_ORIGIN = "astgan: SHA-256 of the photograph"
_CONFIG = "astgan: config"


class Photograph(NamedTuple):
  """A photograph at the size of its painting.

  Attributes:
    path: its file.
    fingerprint: the SHA-256 of the file.
    colour: sRGB on white, in [0, 1].
    alpha: how opaque it is, in [0, 1]; None where all of it is.
  """

  path: pathlib.Path
  fingerprint: str
  colour: Float[np.ndarray, "h w 3"]
  alpha: Float[np.ndarray, "h w"] | None


def find(
  content: str, *, longer_side: int, min_side: int, field: str
) -> list[pathlib.Path]:
  """The photograph of that path, or those of the folder, by their headers.

  Unreadable files of a folder are skipped with one warning.

  Args:
    content: `paint.content`.
    longer_side: longer side of the paintings, in pixels.
    min_side: lower bound of the shorter side, in pixels.
    field: what to raise for photographs that are too narrow.

  Raises:
    UserError: the path does not exist, no photograph can be painted, or two
      photographs have the same painting file.
  """
  if not content:
    raise errors.UserError(
      "paint.content is empty; name a photograph or a folder of them"
    )
  paths = images.find(pathlib.Path(content).expanduser())
  found, failures = [], []
  for path in paths:
    try:
      _check_sides(path, longer_side, min_side, field)
    except errors.UserError as error:
      failures.append(error)
    else:
      found.append(path)
  _tell_of(failures, len(paths))
  _check_stems(found)
  return found


def _check_stems(paths):
  seen = {}
  for path in paths:
    if path.stem in seen:
      raise errors.UserError(
        f"{seen[path.stem]} and {path} would both be painted into one file,"
        f" {path.stem}; rename one"
      )
    seen[path.stem] = path


def _check_sides(path, longer_side, min_side, field):
  with image_files.opened(path) as image:
    width, height = image.size
  shorter = longer_side * min(height, width) / max(height, width)
  if shorter < min_side:
    raise errors.UserError(
      f"{path}: {width}x{height} is too narrow to paint at"
      f" paint.size={longer_side}: its shorter side would have"
      f" {shorter:.0f} pixels, {min_side} are needed; crop it, or raise {field}"
    )


def _tell_of(failures, count):
  """Warns of skipped photographs; raises UserError where none is left."""
  if not failures:
    return
  if len(failures) < count:
    logger.warning(
      "content: %d of %d images were skipped; the first: %s",
      len(failures),
      count,
      failures[0],
    )
    return
  if count == 1:
    raise failures[0]
  raise errors.UserError(
    f"paint.content: none of its {count} images can be painted; the first:"
    f" {failures[0]}"
  )


def shapes(
  paths: Iterable[pathlib.Path], *, longer_side: int
) -> dict[str, tuple[int, int]]:
  """Height and width of paintings by stem, without those of damaged files.

  Args:
    paths: some of those that `find` gave.
    longer_side: of the paintings, in pixels.
  """
  found = {}
  for path in paths:
    with contextlib.suppress(errors.UserError):  # `decode` skips it, too.
      with image_files.opened(path) as image:
        width, height = image_files.upright_size(image)
      found[path.stem] = images.fitted((height, width), longer_side)
  return found


def decode(
  paths: Iterable[pathlib.Path],
  *,
  found: int,
  longer_side: int,
  give_up: Callable[[pathlib.Path], None],
) -> Iterator[Photograph]:
  """The photographs, each read once, when it is asked for.

  Damaged ones are skipped with one warning at the end.

  Args:
    paths: some of those that `find` gave.
    found: how many it gave.
    longer_side: longer side of the paintings, in pixels.
    give_up: called with the paths of damaged ones.

  Raises:
    UserError: all that were found are damaged.
  """
  failures = []
  for path in paths:
    try:
      data = _bytes(path)
      pixels = rgba.fit(rgba.decode(path, data), longer_side)
    except errors.UserError as error:
      failures.append(error)
      give_up(path)
    else:
      alpha = None if pixels.alpha is None else _to_unit(pixels.alpha)
      yield Photograph(path, _digest(data), _to_unit(pixels.colour), alpha)
  _tell_of(failures, found)


def is_damaged(path: pathlib.Path) -> bool:
  """Whether `decode` skips the photograph."""
  try:
    rgba.decode(path, _bytes(path))
  except errors.UserError:
    return True
  return False


def _bytes(path):
  try:
    return path.read_bytes()
  except OSError as error:
    raise errors.UserError(
      f"{path}: cannot be read ({error.strerror}); replace it or leave it out"
    ) from error


def _digest(data):
  return hashlib.sha256(data).hexdigest()


def _to_unit(values):
  """By the devices, as `arrays.bytes_to_unit`, which rounds like this."""
  largest = int(np.iinfo(values.dtype).max)
  return np.asarray(jnp.asarray(values).astype("float32") / largest)


def unpainted(
  paths: Sequence[pathlib.Path],
  workdir: pathlib.Path,
  config: ml_collections.ConfigDict,
) -> list[pathlib.Path]:
  """The photographs that have no painting in the run folder.

  Raises:
    UserError: a file was painted from another photograph of that name.
  """
  pending = []
  for path in paths:
    painting = painting_of(path, workdir, config)
    if not painting.exists():
      pending.append(path)
    elif formats.read_text(painting).get(_ORIGIN) == _digest(_bytes(path)):
      logger.info("%s is already painted", painting)
    else:
      raise errors.UserError(
        f"{painting} was painted from another photograph than {path}; rename"
        " the photograph or use another --workdir"
      )
  return pending


def write(
  colour: Float[np.ndarray, "h w 3"],
  photograph: Photograph,
  workdir: pathlib.Path,
  config: ml_collections.ConfigDict,
) -> pathlib.Path:
  """The file of the painting, which gets the alpha of its photograph.

  It says the fingerprint of the photograph and the config.
  """
  painting = painting_of(photograph.path, workdir, config)
  formats.write(
    painting,
    colour,
    photograph.alpha,
    form=config.paint.format,
    bits=config.paint.bits,
    text={
      _ORIGIN: photograph.fingerprint,
      _CONFIG: json.dumps(config.to_dict()),
    },
  )
  return painting


def painting_of(
  path: pathlib.Path,
  workdir: pathlib.Path,
  config: ml_collections.ConfigDict,
) -> pathlib.Path:
  """The file of the painting of a photograph."""
  suffix = formats.SUFFIXES[config.paint.format]
  return workdir / "painted" / f"{path.stem}{suffix}"
