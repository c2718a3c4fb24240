"""The task `paint`: paints photographs in a style."""

import functools
import itertools
import json
import logging
import math
import pathlib

import jax
import jax.numpy as jnp
import ml_collections
import numpy as np
import tqdm

from astgan import arrays, atomic, errors, runs, stop, writer
from astgan.data import formats, images
from astgan.features import weights
from astgan.nst import (
  optimize,
  photographs,
  recipe,
  settings,
  styles,
  stylize,
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
  painter. Finished paintings are kept, so that a stopped run can continue
  and photographs can be added. `style.json` holds the fingerprint of the style,
  which must not change within a run folder.

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
  style = styles.open_style(config, style_key)
  in_one_pass = isinstance(style, styles.Painted)
  found = photographs.find(
    config.paint.content,
    longer_side=config.paint.size,
    min_side=style.painter.smallest if in_one_pass else settings.MIN_SIDE,
  )
  runs.check_run(workdir, config)
  fingerprint = json.dumps(style.fingerprint()) + "\n"
  _check_same_style(config, workdir, fingerprint)
  pending = photographs.unpainted(found, workdir, config)
  decode = functools.partial(
    photographs.decode, found=len(found), longer_side=config.paint.size
  )
  decoded = decode(pending)
  first = next(decoded, None)  # Refused, if damaged, before anything slow.
  if first is None:
    return

  make = _make_one_pass if in_one_pass else _make_optimization
  paint_one, contact_sheet = make(config, style, workdir)
  runs.open_run(workdir, config)
  (workdir / "painted").mkdir(exist_ok=True)
  if contact_sheet is not None:
    images.write(workdir / "style.png", contact_sheet)
  atomic.write(workdir / _STYLE, fingerprint.encode())
  saved = {}
  if not in_one_pass:
    saved = _load_unfinished(workdir, pending, config, decode)
  stems = [path.stem for path in pending]
  _drop_metrics(
    workdir,
    {stem: optimize.done(saved.get(stem), config) for stem in stems},
  )
  with writer.Writer(workdir) as log, stop.signals() as signals:
    for number, photograph in enumerate(itertools.chain([first], decoded), 1):
      # The number of a photograph changes with the others, its bytes do not.
      key = jax.random.fold_in(noise_key, int(photograph.fingerprint[:8], 16))
      progress = saved.pop(photograph.path.stem, None)
      colour = paint_one(key, photograph, log, signals, progress)
      if colour is None:
        logger.info("stopped by %s; the same command goes on", signals[0])
        return
      painting = photographs.write(colour, photograph, workdir, config)
      unfinished.drop(workdir / _UNFINISHED, photograph.path.stem)
      pixels = formats.to_integers(colour, bits=8)
      log.image(f"{photograph.path.stem}/painted", config.paint.steps, pixels)
      logger.info("%s (%d of %d)", painting, number, len(pending))


def _make_one_pass(config, style, workdir):
  """Photographs to colours in [0, 1], by a painter."""
  del workdir

  def paint_one(key, photograph, log, signals, progress):
    del key, log, progress
    if signals:
      return None
    return style.painter.paint(
      photograph.colour, style.direction, tile=config.paint.tile
    )

  return paint_one, None


def _make_optimization(config, style, workdir):
  """Photographs to colours in [0, 1], with the style read once."""
  try:
    params = weights.load(config.features.net, config.features.weights)
  except errors.UserError as error:
    raise errors.UserError(f"features.weights: {error}") from error
  described = optimize.describe(config, params, style)
  paint_one = functools.partial(
    _optimize, config=config, params=params, style=described, workdir=workdir
  )
  return paint_one, described.contact_sheet


def _optimize(
  key, photograph, log, signals, progress, *, config, params, style, workdir
):
  """The painting, in [0, 1]; None where a signal stopped it."""
  stem, steps = photograph.path.stem, optimize.total_steps(config)
  optimizer = recipe.make_optimizer(config)
  done = max(0, optimize.done(progress, config))
  folder = workdir / _UNFINISHED

  with tqdm.tqdm(total=steps, initial=done, desc=stem, unit="step") as bar:

    def report(step, scalars, progress, is_logged):
      bar.update(step - bar.n)
      bar.set_postfix(loss=f"{scalars['loss']:.4g}", refresh=False)
      if is_logged:
        log.write(step, scalars, photograph=stem)
      if step < steps and (signals or step % config.paint.save_every == 0):
        so_far = stylize.result(progress.painting, optimizer=optimizer)
        unfinished.save(
          folder,
          stem,
          progress,
          preview=_to_bytes(so_far),
          fingerprint=photograph.fingerprint,
        )
      return bool(signals)

    try:
      painted = optimize.paint_one(
        key,
        jnp.asarray(photograph.colour)[None],
        config=config,
        params=params,
        style=style,
        progress=progress,
        report=report,
      )
    except stylize.NotFiniteError as error:
      path = folder / f"{stem}.png"
      folder.mkdir(exist_ok=True)
      images.write(path, _to_bytes(error.image))
      raise FloatingPointError(
        f"{stem}: {error}; the best is {path}"
      ) from error
  return None if painted is None else np.asarray(painted)[0]


def _to_bytes(image):
  return np.asarray(arrays.unit_to_bytes(image))[0]


def _check_same_style(config, workdir, fingerprint):
  """Raises UserError where the run folder has another style."""
  path = workdir / _STYLE
  if path.exists() and path.read_text() != fingerprint:
    raise errors.UserError(
      f"paint.style={config.paint.style} is not the style of {workdir} (see"
      f" {path}): its images were changed, or its generator was trained on;"
      " use another --workdir"
    )


def _load_unfinished(workdir, pending, config, decode):
  """The progress of the paintings that were stopped, by stem."""
  folder = workdir / _UNFINISHED
  stopped = [path for path in pending if unfinished.exists(folder, path.stem)]
  found = {}
  for photograph in decode(stopped):
    stem, shape = photograph.path.stem, photograph.colour.shape[:2]
    found[stem] = unfinished.load(
      folder,
      stem,
      like=functools.partial(optimize.like, shape=shape, config=config),
      fingerprint=photograph.fingerprint,
    )
  return found


def _drop_metrics(workdir, done):
  """Drops the metrics that will be written again.

  Args:
    workdir: the run folder.
    done: the last step that is kept, by stem of a photograph.
  """
  lines = [
    line
    for line in writer.read(workdir)
    if line["step"] <= done.get(line.get("photograph"), math.inf)
  ]
  writer.rewrite(workdir, lines)
