"""The task `paint`: paints photographs in a style."""

import hashlib
import itertools
import json
import logging
import pathlib

import jax
import ml_collections

from astgan import atomic, errors, locks, runs, stop, writer
from astgan.data import formats, images
from astgan.nst import (
  by_optimization,
  by_painter,
  claims,
  opening,
  painted,
  photographs,
  regions,
  settings,
  spread,
  start,
  unfinished,
)

logger = logging.getLogger(__name__)

# Fingerprint of the style, in the run folder.
_STYLE = "style.json"


def paint(config: ml_collections.ConfigDict, workdir: pathlib.Path) -> None:
  """Paints every photograph of `paint.content` in the style of `paint.style`.

  Paintings are `painted/STEM.png` in the run folder, or of the suffix of
  `paint.format`, with the alpha of the photograph, at `paint.size` on their
  longer side: by optimisation over pixels, or in one pass where the style is a
  painter. A folder of photographs is spread over the local devices, and over
  all processes that paint in the run folder. Finished paintings are kept, so
  that a stopped run can continue and photographs can be added. `style.json`
  holds the fingerprint of the style, which must not change within a run folder.

  Args:
    config: all fields of configs/common.py.
    workdir: the run folder.

  Raises:
    UserError: a field or a file that the user can correct. It is raised before
      anything slow happens.
    FloatingPointError: a loss was not finite, after all other photographs.
  """
  style_key, noise_key = jax.random.split(jax.random.key(config.seed))
  opened, fingerprint, found = _check(config, workdir, style_key)
  pending = photographs.unpainted(found, workdir, config)
  if config.paint.masks:
    shapes = photographs.shapes(pending, longer_side=config.paint.size)
    regions.check(shapes, config.paint.masks)
  folder = workdir / claims.FOLDER
  runs.check_writable(folder)
  with claims.Claims(folder) as claimed:
    decoded = photographs.decode(
      _claimed(claimed, pending, workdir, config),
      found=len(found),
      longer_side=config.paint.size,
      give_up=lambda path: claimed.release(path.stem),
    )
    first = next(decoded, None)  # Refused, if damaged, before anything slow.
    if first is None:
      return
    if isinstance(opened, painted.Painted):
      method = by_painter.OnePass(opened, tile=config.paint.tile)
    else:
      method = by_optimization.Optimization(config, opened, folder)
    _open_run(method, fingerprint, config, workdir)
    _paint_each(
      *(method, config, workdir, noise_key),
      itertools.chain([first], decoded),
      claimed=claimed,
      count=len(pending),
    )


def _check(config, workdir, key):
  """The styles, what `style.json` says of them, and the photographs.

  After what can be refused at once.
  """
  settings.check(config)
  opened = opening.open_styles(config, key)
  min_side, field = settings.smallest(config)
  if isinstance(opened, painted.Painted):
    min_side, field = opened.painter.smallest, "paint.size"
  found = photographs.find(
    config.paint.content,
    longer_side=config.paint.size,
    min_side=min_side,
    field=field,
  )
  runs.check_run(workdir, config)
  fingerprint = _fingerprint(opened, config)
  _check_same_style(config, workdir, fingerprint)
  return opened, fingerprint, found


def _claimed(claimed, pending, workdir, config):
  """The photographs that no other process paints or has painted meanwhile.

  Those of others come last, and again while there is anything to do: a process
  may have been stopped or killed.
  """
  goes_on = True
  while goes_on:
    goes_on, others = False, []
    for path in pending:
      if not claimed.claim(path.stem):
        others.append(path)
      elif photographs.unpainted([path], workdir, config):
        goes_on = True
        yield path
      else:
        claimed.release(path.stem)
    pending = others
  for path in pending:
    logger.info("%s is painted by another process", path)


def _open_run(method, fingerprint, config, workdir):
  """Writes what the run folder says of the run, by one process at a time."""
  with locks.held(workdir / "lock", quiet=True):
    runs.open_run(workdir, config)
    _check_same_style(config, workdir, fingerprint)
    (workdir / "painted").mkdir(exist_ok=True)
    if method.contact_sheet is not None:
      images.write(workdir / "style.png", method.contact_sheet)
    atomic.write(workdir / _STYLE, fingerprint.encode())


def _paint_each(method, config, workdir, key, decoded, *, claimed, count):
  """Paints the photographs and writes each painting when it is done."""

  def paint_one(photograph):
    # The number of a photograph changes with the others, its bytes do not.
    own = jax.random.fold_in(key, int(photograph.fingerprint[:8], 16))
    try:
      return method.paint(own, photograph, log, signals)
    except FloatingPointError as error:
      failures.append(error)
      return None

  devices = jax.local_devices()[:count]
  number, failures = 0, []
  with writer.Writer(workdir, shared=True) as log, stop.signals() as signals:
    for photograph, image in spread.paint_each(
      paint_one, decoded, devices=devices, signals=signals
    ):
      if image is None:
        continue
      number += 1
      painting = photographs.write(image, photograph, workdir, config)
      unfinished.drop(workdir / claims.FOLDER, photograph.path.stem)
      claimed.release(photograph.path.stem)
      pixels = formats.to_integers(image, bits=8)
      log.image(f"{photograph.path.stem}/painted", method.steps, pixels)
      logger.info("%s (%d of %d)", painting, number, count)
    if signals:
      stop.early.set()
      logger.info("stopped by %s; the same command goes on", signals[0])
  for failure in failures[1:]:
    logger.error("%s", failure)
  if failures:
    raise failures[0]


def _fingerprint(opened, config):
  """What `style.json` says: of the styles, and of other files of the recipe."""
  if isinstance(opened, painted.Painted):
    found = opened.fingerprint()
  else:
    found = [style.fingerprint() for style in opened]
    found = found[0] if len(found) == 1 else found
  paths = [*config.paint.masks, *config.paint.style_masks]
  if config.paint.init not in start.INITS:
    paths.append(config.paint.init)
  digests = {
    path: hashlib.sha256(file.read_bytes()).hexdigest()
    for path in paths
    for file in [pathlib.Path(path).expanduser()]
    if file.is_file()
  }
  if digests:
    found = {"style": found, "files": digests}
  return json.dumps(found) + "\n"


def _check_same_style(config, workdir, fingerprint):
  """Raises UserError where the run folder has another style."""
  path = workdir / _STYLE
  if path.exists() and path.read_text() != fingerprint:
    raise errors.UserError(
      f"paint.style={config.paint.style} is not the style of {workdir} (see"
      f" {path}): its images, masks or first image were changed, or its"
      " generator or its painter was trained on; use another --workdir"
    )
