"""The task `paint`: photographs and a style in, paintings out."""

import functools
import json
import pathlib

import jax
import jax.numpy as jnp
import ml_collections
import numpy as np
import tqdm

from astgan import arrays, errors, runs, writer
from astgan.data import images
from astgan.features import weights
from astgan.nst import (
  objective,
  photographs,
  settings,
  start,
  styles,
  stylize,
)

# In the run folder: which style it was begun with.
_STYLE = "style.json"


def paint(config: ml_collections.ConfigDict, workdir: pathlib.Path) -> None:
  """Paints every photograph of `paint.content` in the style of `paint.style`.

  Paintings are `painted/STEM.png` in the run folder, at `paint.size` on their
  longer side. What is already painted is kept, so that a stopped run goes on
  where it was, and more photographs can be added; `style.json` tells whether
  the style is still the one that the run began with.

  Args:
    config: all fields of configs/common.py.
    workdir: the run folder.

  Raises:
    UserError: a field or a file that the user can mend; said before anything
      slow happens.
    FloatingPointError: a loss was not finite.
  """
  settings.check(config)
  found = photographs.find(
    config.paint.content,
    longer_side=config.paint.size,
    smallest=settings.SMALLEST,
  )
  style_key, noise_key = jax.random.split(jax.random.key(config.seed))
  style = styles.open_style(config, style_key)
  runs.check_run(workdir, config)
  style_facts = json.dumps(style.facts()) + "\n"
  _check_same_style(config, workdir, style_facts)
  pending = []
  for photograph in found:
    painting = workdir / "painted" / f"{photograph.path.stem}.png"
    if photographs.is_painted(photograph, painting):
      print(f"{painting} is already painted")
    else:
      pending.append((photograph, painting))
  if not pending:
    return

  params = weights.load(config.features.net, config.features.weights)
  runs.open_run(workdir, config)
  (workdir / "painted").mkdir(exist_ok=True)
  images.write(workdir / "style.png", style.sheet())
  runs.write_atomically(workdir / _STYLE, style_facts.encode())
  _forget(workdir, {photograph.path.stem for photograph, _ in pending})
  network = {
    "extract": settings.extract(config),
    "terms": settings.terms(config),
  }
  style_targets = objective.style_targets(
    params, tqdm.tqdm(style, desc="style", unit="picture"), **network
  )
  paint_one = functools.partial(
    _paint_one,
    config=config,
    params=params,
    style_targets=style_targets,
    picture=next(iter(style)),
    optimizer=settings.optimizer(config),
    **network,
  )
  with writer.Writer(workdir) as log:
    for number, (photograph, painting) in enumerate(pending, start=1):
      # From the photograph, not its number, which another run may change.
      key = jax.random.fold_in(noise_key, int(photograph.digest[:8], 16))
      pixels = paint_one(key, photograph, log)
      photographs.write_painting(painting, pixels, photograph)
      log.image(f"{photograph.path.stem}/painted", config.paint.steps, pixels)
      print(f"{painting} ({number} of {len(pending)})", flush=True)


def _paint_one(
  key, photograph, log, *, config, params, style_targets, picture, optimizer,
  extract, terms,
):  # fmt: skip
  """The painting's pixels; its losses go to the log."""
  stem, steps = photograph.path.stem, config.paint.steps
  pixels = jnp.asarray(photograph.pixels(config.paint.size))
  content = arrays.bytes_to_unit(pixels[None])
  targets = objective.Targets(
    content=objective.content_targets(
      params, content, extract=extract, terms=terms
    ),
    style=style_targets,
  )
  # On CPUs a report costs nothing next to a step, and shows that it moves.
  report_every = config.paint.log_every
  if jax.default_backend() == "cpu":
    report_every = 1

  with tqdm.tqdm(total=steps, desc=stem, unit="step") as bar:

    def report(step, scalars):
      bar.update(step - bar.n)
      bar.set_postfix(loss=f"{scalars['loss']:.4g}", refresh=False)
      if step % config.paint.log_every == 0 or step == steps:
        log.write(step, scalars, picture=stem)

    painted = stylize.stylize(
      start.first_image(key, config.paint.init, content, picture),
      params,
      targets,
      extract=extract,
      terms=terms,
      optimizer=optimizer,
      steps=steps,
      report_every=report_every,
      report=report,
    )
  return np.asarray(arrays.unit_to_bytes(painted))[0]


def _check_same_style(config, workdir, facts):
  """Raises UserError where the run began with other style pictures."""
  path = workdir / _STYLE
  if path.exists() and path.read_text() != facts:
    raise errors.UserError(
      f"paint.style={config.paint.style} is not the style that {workdir} began"
      f" with (see {path}): its pictures were changed, or its generator was"
      " trained on; use another --workdir"
    )


def _forget(workdir, stems):
  """Drops the lines of paintings that were begun and not finished."""
  lines = [
    json.dumps(line) + "\n"
    for line in writer.read(workdir)
    if line.get("picture") not in stems
  ]
  runs.write_atomically(workdir / "metrics.jsonl", "".join(lines).encode())
