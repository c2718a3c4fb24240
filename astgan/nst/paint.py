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
  colour,
  description,
  optimize,
  photographs,
  regions,
  settings,
  styles,
  stylize,
  unfinished,
)
from astgan.nst import recipe as recipes

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
  opened = styles.open_styles(config, style_key)
  in_one_pass = isinstance(opened[0], styles.Painted)
  found = photographs.find(
    config.paint.content,
    longer_side=config.paint.size,
    min_side=opened[0].painter.smallest if in_one_pass else settings.MIN_SIDE,
  )
  runs.check_run(workdir, config)
  fingerprints = [style.fingerprint() for style in opened]
  whole = fingerprints[0] if len(opened) == 1 else fingerprints
  fingerprint = json.dumps(whole) + "\n"
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
  paint_one, contact_sheet = make(config, opened, workdir)
  runs.open_run(workdir, config)
  (workdir / "painted").mkdir(exist_ok=True)
  if contact_sheet is not None:
    images.write(workdir / "style.png", contact_sheet)
  atomic.write(workdir / _STYLE, fingerprint.encode())
  recipe = recipes.of_config(config)
  saved = {}
  if not in_one_pass:
    saved = _load_unfinished(workdir, pending, recipe, decode)
  stems = [path.stem for path in pending]
  _drop_metrics(
    workdir,
    {stem: optimize.done(saved.get(stem), recipe) for stem in stems},
  )
  with writer.Writer(workdir) as log, stop.signals() as signals:
    for number, photograph in enumerate(itertools.chain([first], decoded), 1):
      # The number of a photograph changes with the others, its bytes do not.
      key = jax.random.fold_in(noise_key, int(photograph.fingerprint[:8], 16))
      progress = saved.pop(photograph.path.stem, None)
      painted = paint_one(key, photograph, log, signals, progress)
      if painted is None:
        logger.info("stopped by %s; the same command goes on", signals[0])
        return
      painting = photographs.write(painted, photograph, workdir, config)
      unfinished.drop(workdir / _UNFINISHED, photograph.path.stem)
      pixels = formats.to_integers(painted, bits=8)
      log.image(f"{photograph.path.stem}/painted", config.paint.steps, pixels)
      logger.info("%s (%d of %d)", painting, number, len(pending))


def _make_one_pass(config, opened, workdir):
  """Photographs to paintings in [0, 1], by a painter."""
  del workdir
  (style,) = opened

  def paint_one(key, photograph, log, signals, progress):
    del key, log, progress
    if signals:
      return None
    return style.painter.paint(
      photograph.colour, style.direction, tile=config.paint.tile
    )

  return paint_one, None


def _make_optimization(config, opened, workdir):
  """Photographs to paintings in [0, 1], with the style read once."""
  try:
    params = weights.load(config.features.net, config.features.weights)
  except errors.UserError as error:
    raise errors.UserError(f"features.weights: {error}") from error
  paint = config.paint
  describe = functools.partial(
    description.describe,
    recipes.of_config(config),
    params,
    opened,
    blend=paint.blend,
    style_masks=[
      regions.read(path) if path else None for path in paint.style_masks
    ],
    in_regions=bool(paint.masks),
  )
  style = describe()
  paint_one = functools.partial(
    _optimize,
    config=config,
    params=params,
    describe=describe,
    style=style,
    workdir=workdir,
  )
  return paint_one, style.contact_sheet


def _optimize(
  key, photograph, log, signals, progress, *,
  config, params, describe, style, workdir,
):  # fmt: skip
  """The painting, in [0, 1]; None where a signal stopped it."""
  recipe, stem = recipes.of_config(config), photograph.path.stem
  paint, steps = config.paint, recipe.total_steps
  report_every = _report_every(paint)
  content, style = _recolour(photograph.colour, style, paint, describe)
  done = max(0, optimize.done(progress, recipe))
  folder = workdir / _UNFINISHED

  with tqdm.tqdm(total=steps, initial=done, desc=stem, unit="step") as bar:

    def report(step, scalars, progress):
      bar.update(step - bar.n)
      bar.set_postfix(loss=f"{scalars['loss']:.4g}", refresh=False)
      if report_every > 1 or step % paint.log_every == 0 or step == steps:
        log.write(step, scalars, photograph=stem)
      if step < steps and (signals or step % paint.save_every == 0):
        so_far = stylize.result(progress.painting, optimizer=recipe.optimizer)
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
        jnp.asarray(content)[None],
        recipe=recipe,
        params=params,
        style=style,
        masks=regions.masks_of(stem, paint.masks),
        progress=progress,
        report_every=report_every,
        report=report,
      )
    except stylize.NotFiniteError as error:
      path = folder / f"{stem}.png"
      folder.mkdir(exist_ok=True)
      images.write(path, _to_bytes(error.image))
      raise FloatingPointError(
        f"{stem}: {error}; the best is {path}"
      ) from error
  if painted is None:
    return None
  painted = np.asarray(painted[0])
  if paint.colour == "luminance":
    painted = colour.keep_chrominance(painted, content)
  return painted


def _report_every(paint):
  """On CPUs a report is cheap next to a step, and the progress bar moves."""
  if jax.default_backend() == "cpu":
    return 1
  return math.gcd(paint.log_every, paint.save_every)


def _recolour(content, style, paint, describe):
  """The photograph and the style, one with the colours of the other."""
  if paint.colour not in ("linear", "histogram"):
    return content, style
  match = colour.match_histogram
  if paint.colour == "linear":
    match = functools.partial(colour.match_linear, root=paint.colour_root)
  if paint.recolour == "photograph":
    return match(content, style.palette), style
  palette = colour.palette(content)
  return content, describe(recolour=lambda image: match(image, palette))


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


def _load_unfinished(workdir, pending, recipe, decode):
  """The progress of the paintings that were stopped, by stem."""
  folder = workdir / _UNFINISHED
  stopped = [path for path in pending if unfinished.exists(folder, path.stem)]
  found = {}
  for photograph in decode(stopped):
    stem, shape = photograph.path.stem, photograph.colour.shape[:2]
    found[stem] = unfinished.load(
      folder,
      stem,
      like=functools.partial(optimize.like, shape=shape, recipe=recipe),
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
