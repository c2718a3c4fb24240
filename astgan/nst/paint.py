"""The task `paint`: paints photographs in a style."""

import functools
import itertools
import json
import logging
import pathlib

import jax
import jax.numpy as jnp
import ml_collections
import numpy as np
import tqdm

from astgan import atomic, errors, runs, writer
from astgan.data import formats, images
from astgan.features import weights
from astgan.nst import (
  objective,
  photographs,
  settings,
  start,
  styles,
  stylize,
)

logger = logging.getLogger(__name__)

# Fingerprint of the style, in the run folder.
_STYLE = "style.json"


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
  pending = []
  for path in found:
    painting = photographs.painting_of(path, workdir, config)
    if photographs.is_painted(path, painting):
      logger.info("%s is already painted", painting)
    else:
      pending.append(path)
  decoded = photographs.decode(
    pending, found=len(found), longer_side=config.paint.size
  )
  first = next(decoded, None)  # Refused, if damaged, before anything slow.
  if first is None:
    return

  make = _make_one_pass if in_one_pass else _make_optimization
  paint_one = make(config, style)
  runs.open_run(workdir, config)
  (workdir / "painted").mkdir(exist_ok=True)
  if not in_one_pass:
    images.write(workdir / "style.png", style.contact_sheet())
  atomic.write(workdir / _STYLE, fingerprint.encode())
  _drop_unfinished(workdir, {path.stem for path in pending})
  with writer.Writer(workdir) as log:
    for number, photograph in enumerate(itertools.chain([first], decoded), 1):
      # The number of a photograph changes with the others, its bytes do not.
      key = jax.random.fold_in(noise_key, int(photograph.fingerprint[:8], 16))
      colour = paint_one(key, photograph, log)
      painting = photographs.painting_of(photograph.path, workdir, config)
      photographs.write_painting(painting, colour, photograph, config)
      pixels = formats.to_integers(colour, bits=8)
      log.image(f"{photograph.path.stem}/painted", config.paint.steps, pixels)
      logger.info("%s (%d of %d)", painting, number, len(pending))


def _make_one_pass(config, style):
  """Photographs to colours in [0, 1], by a painter."""

  def paint_one(key, photograph, log):
    del key, log
    return style.painter.paint(
      photograph.colour, style.direction, tile=config.paint.tile
    )

  return paint_one


def _make_optimization(config, style):
  """Photographs to colours in [0, 1], by optimisation.

  The style is read once.
  """
  try:
    params = weights.load(config.features.net, config.features.weights)
  except errors.UserError as error:
    raise errors.UserError(f"features.weights: {error}") from error
  network = {
    "extract": settings.extract(config),
    "terms": settings.terms(config),
  }
  style_targets = objective.style_targets(
    params, tqdm.tqdm(style, desc="style", unit="image"), **network
  )
  return functools.partial(
    _paint_one,
    config=config,
    params=params,
    style_targets=style_targets,
    style_image=next(iter(style)),
    optimizer=settings.optimizer(config),
    **network,
  )


def _paint_one(
  key, photograph, log, *, config, params, style_targets, style_image,
  optimizer, extract, terms,
):  # fmt: skip
  """The painting, in [0, 1]. Its losses go to the log."""
  stem, steps = photograph.path.stem, config.paint.steps
  content = jnp.asarray(photograph.colour)[None]
  targets = objective.Targets(
    content=objective.content_targets(
      params, content, extract=extract, terms=terms
    ),
    style=style_targets,
  )
  # On CPUs a report is cheap next to a step, and the progress bar moves.
  report_every = config.paint.log_every
  if jax.default_backend() == "cpu":
    report_every = 1

  with tqdm.tqdm(total=steps, desc=stem, unit="step") as bar:

    def report(step, scalars):
      bar.update(step - bar.n)
      bar.set_postfix(loss=f"{scalars['loss']:.4g}", refresh=False)
      if step % config.paint.log_every == 0 or step == steps:
        log.write(step, scalars, photograph=stem)

    painted = stylize.stylize(
      start.initial_image(key, config.paint.init, content, style_image),
      params,
      targets,
      extract=extract,
      terms=terms,
      optimizer=optimizer,
      steps=steps,
      report_every=report_every,
      report=report,
    )
  return np.asarray(painted)[0]


def _check_same_style(config, workdir, fingerprint):
  """Raises UserError where the run folder has another style."""
  path = workdir / _STYLE
  if path.exists() and path.read_text() != fingerprint:
    raise errors.UserError(
      f"paint.style={config.paint.style} is not the style of {workdir} (see"
      f" {path}): its images were changed, or its generator was trained on;"
      " use another --workdir"
    )


def _drop_unfinished(workdir, stems):
  """Drops the metrics of paintings that were not finished."""
  lines = [
    json.dumps(line) + "\n"
    for line in writer.read(workdir)
    if line.get("photograph") not in stems
  ]
  atomic.write(workdir / "metrics.jsonl", "".join(lines).encode())
