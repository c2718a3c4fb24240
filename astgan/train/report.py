"""What a training shows of itself: contact sheets, and its last line."""

import math
import pathlib
from collections.abc import Mapping, Sequence

import jax.numpy as jnp
import ml_collections
import numpy as np

from astgan import arrays, history, sampling, writer
from astgan.arrays import Images
from astgan.data import compared, images
from astgan.systems import interface, registry


def spread(
  config: ml_collections.ConfigDict,
  all_images: Mapping[str, np.ndarray],
  training: Mapping[str, np.ndarray],
) -> dict[str, Images]:
  """Training images in [-1, 1] for the contact sheets, from all over a source.

  Their number is `train.num_samples`; a small source repeats.
  """
  count = config.train.num_samples
  shown = {}
  for name, array in all_images.items():
    places = np.linspace(0, len(training[name]) - 1, count).astype(int)
    chosen = compared.windows(array, training[name][places], config.data.size)
    shown[name] = arrays.bytes_to_signed(jnp.asarray(chosen))
  return shown


def write_reals(workdir: pathlib.Path, shown: Mapping[str, Images]) -> None:
  """Writes reals.png, and reals_NAME.png of further sources."""
  for number, (name, real_images) in enumerate(shown.items()):
    path = workdir / ("reals.png" if not number else f"reals_{name}.png")
    images.write(path, contact_sheet(real_images))


def write_samples(
  workdir: pathlib.Path,
  log: writer.Writer,
  step: int,
  sheets: Mapping[str, Images],
) -> None:
  """Writes the contact sheets of a step, and draws the plots anew."""
  folder = workdir / "samples"
  folder.mkdir(exist_ok=True)
  for number, (name, drawn) in enumerate(sheets.items()):
    suffix = f"_{name}" if number else ""
    sheet = contact_sheet(drawn)
    images.write(folder / f"step_{step:08d}{suffix}.png", sheet)
    log.image(name, step, sheet)
  writer.draw_losses(workdir)


def contact_sheet(signed: Images) -> np.ndarray:
  """About as many rows as columns of images, bytes."""
  pixels = np.asarray(arrays.signed_to_bytes(signed))
  return images.grid(pixels, columns=math.ceil(len(pixels) ** 0.5))


def summary(
  config: ml_collections.ConfigDict,
  workdir: pathlib.Path,
  steps: Sequence[int],
) -> str:
  """Alarms, roll-backs, the best checkpoint and the command that uses it.

  Args:
    config: a training config.
    workdir: the run folder.
    steps: that have a checkpoint, ascending.
  """
  lines = writer.read(workdir)
  after = "".join(f"{said}; " for said in _failures(lines))
  if not steps:
    return f"{after}no checkpoint to use"
  found = history.best(lines, config.evaluate.best_metric, steps)
  if found is None:
    said, step = f"newest checkpoint {steps[-1]}, none evaluated", "newest"
  else:
    said = f"best checkpoint {found.step} ({found.name} {found.value:.4g})"
    step = "best"
  kind = interface.ask_sampler(registry.make(config), interface.kind)
  return f"{after}{said}; {sampling.usage(kind, workdir, step=step)}"


def _failures(lines: Sequence[history.Line]) -> list[str]:
  """What went wrong, and when, by the lines of a run."""
  said, made = [], history.roll_backs(lines)
  if made.count:
    said.append(
      f"roll-backs: {made.count}, learning rates times"
      f" {made.learning_rate_scale:.4g} ({'; '.join(made.reasons)})"
    )
  alarms = history.alarms(lines)
  if alarms:
    each = [
      f"{rule} at step {steps[0]}"
      + (f" and {len(steps) - 1} times more" if steps[1:] else "")
      for rule, steps in alarms.items()
    ]
    said.append(f"alarms: {', '.join(each)}")
  return said
