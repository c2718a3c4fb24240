"""The task `paint`: paints photographs in a style."""

import functools
import itertools
import json
import logging
import math
import pathlib

import jax
import ml_collections

from astgan import atomic, errors, runs, stop, writer
from astgan.data import formats, images
from astgan.nst import (
  by_optimization,
  by_painter,
  opening,
  painted,
  photographs,
  regions,
  settings,
  spread,
  unfinished,
)

logger = logging.getLogger(__name__)

# Fingerprint of the style, and paintings that are not finished, in the run
# folder.
_STYLE = "style.json"
_UNFINISHED = "unfinished"


def paint(config: ml_collections.ConfigDict, workdir: pathlib.Path) -> None:
  """Paints every photograph of `paint.content` in the style of `paint.style`.

  Paintings are `painted/STEM.png` in the run folder, or of the suffix of
  `paint.format`, with the alpha of the photograph, at `paint.size` on their
  longer side: by optimisation over pixels, or in one pass where the style is a
  painter. A folder of photographs is spread over the local devices. Finished
  paintings are kept, so that a stopped run can continue and photographs can be
  added. `style.json` holds the fingerprint of the style, which must not change
  within a run folder. One process at a time paints in it.

  Args:
    config: all fields of configs/common.py.
    workdir: the run folder.

  Raises:
    UserError: a field or a file that the user can correct. It is raised before
      anything slow happens.
    FloatingPointError: a loss was not finite.
  """
  settings.check(config)
  style_key, noise_key = jax.random.split(jax.random.key(config.seed))
  opened = opening.open_styles(config, style_key)
  in_one_pass = isinstance(opened, painted.Painted)
  found = photographs.find(
    config.paint.content,
    longer_side=config.paint.size,
    min_side=(
      opened.painter.smallest if in_one_pass else settings.smallest(config)
    ),
  )
  runs.check_run(workdir, config)
  fingerprint = json.dumps(_fingerprint(opened)) + "\n"
  _check_same_style(config, workdir, fingerprint)
  pending = photographs.unpainted(found, workdir, config)
  regions.check([path.stem for path in pending], config.paint.masks)
  decode = functools.partial(
    photographs.decode, found=len(found), longer_side=config.paint.size
  )
  decoded = decode(pending)
  first = next(decoded, None)  # Refused, if damaged, before anything slow.
  if first is None:
    return

  with runs.alone(workdir):
    folder = workdir / _UNFINISHED
    if in_one_pass:
      method = by_painter.OnePass(opened, tile=config.paint.tile)
    else:
      method = by_optimization.Optimization(config, opened, folder)
    runs.open_run(workdir, config)
    (workdir / "painted").mkdir(exist_ok=True)
    folder.mkdir(exist_ok=True)
    if method.contact_sheet is not None:
      images.write(workdir / "style.png", method.contact_sheet)
    atomic.write(workdir / _STYLE, fingerprint.encode())
    stopped = [path for path in pending if unfinished.exists(folder, path.stem)]
    kept = dict.fromkeys((path.stem for path in pending), -1)
    _drop_metrics(workdir, kept | method.resume(decode(stopped)))
    _paint_each(
      *(method, config, workdir, noise_key),
      itertools.chain([first], decoded),
      count=len(pending),
    )
    if not any(folder.iterdir()):
      folder.rmdir()


def _paint_each(method, config, workdir, key, decoded, *, count):
  """Paints `count` photographs and writes each painting when it is done."""

  def paint_one(photograph):
    # The number of a photograph changes with the others, its bytes do not.
    own = jax.random.fold_in(key, int(photograph.fingerprint[:8], 16))
    return method.paint(own, photograph, log, signals)

  devices = jax.local_devices()[:count]
  number = 0
  with writer.Writer(workdir) as log, stop.signals() as signals:
    for photograph, image in spread.paint_each(
      paint_one, decoded, devices=devices, signals=signals
    ):
      if image is None:
        continue
      number += 1
      painting = photographs.write(image, photograph, workdir, config)
      unfinished.drop(workdir / _UNFINISHED, photograph.path.stem)
      pixels = formats.to_integers(image, bits=8)
      log.image(f"{photograph.path.stem}/painted", config.paint.steps, pixels)
      logger.info("%s (%d of %d)", painting, number, count)
    if signals:
      logger.info("stopped by %s; the same command goes on", signals[0])


def _fingerprint(opened):
  if isinstance(opened, painted.Painted):
    return opened.fingerprint()
  fingerprints = [style.fingerprint() for style in opened]
  return fingerprints[0] if len(opened) == 1 else fingerprints


def _check_same_style(config, workdir, fingerprint):
  """Raises UserError where the run folder has another style."""
  path = workdir / _STYLE
  if path.exists() and path.read_text() != fingerprint:
    raise errors.UserError(
      f"paint.style={config.paint.style} is not the style of {workdir} (see"
      f" {path}): its images were changed, or its generator or its painter was"
      " trained on; use another --workdir"
    )


def _drop_metrics(workdir, kept):
  """Drops the metrics that will be written again.

  Args:
    workdir: the run folder.
    kept: the last step whose metrics stay, by stem of a photograph.
  """
  lines = [
    line
    for line in writer.read(workdir)
    if line["step"] <= kept.get(line.get("photograph"), math.inf)
  ]
  writer.rewrite(workdir, lines)
