"""Task `train`: files in, files out, for any system.

The mathematics is in the system's update; what a call does to the devices is in
parallel.py, and which batches it gets in loader.py.
"""

import functools
import logging
import math
import pathlib
from collections.abc import Sequence

import jax
import jax.numpy as jnp
import ml_collections
import numpy as np
import tqdm
from jaxtyping import PyTree

from astgan import arrays, checkpoints, runs, writer
from astgan.arrays import Images
from astgan.data import decoded, held_out, images, pipeline
from astgan.systems import interface, registry
from astgan.train import (
  evaluators,
  loader,
  parallel,
  settings,
  stop,
  throughput,
)

logger = logging.getLogger(__name__)


def train(
  config: ml_collections.ConfigDict,
  workdir: pathlib.Path,
  *,
  evaluators: Sequence[evaluators.Evaluator] = (),
) -> None:
  """Trains to `train.steps`, on from the newest checkpoint if there is one.

  Args:
    config: a training config, such as the pages of configs/ make.
    workdir: the run folder.
    evaluators: called each period, and at the last step.

  Raises:
    UserError: the config does not fit the system, the devices, the data or the
      folder.
    FloatingPointError: a loss or a parameter is no longer finite.
  """
  system = registry.make(config)
  settings.check(config, system)
  runs.check_run(workdir, config)
  sources = _decode(config, workdir, system)
  sides = _split(config, system, sources)
  runs.open_run(workdir, config)
  fingerprint = {
    name: {"count": len(source.array), "sha256": source.sha256}
    for name, source in sources.items()
  }
  runs.keep_fingerprint(
    workdir, "images.json", fingerprint, field="data.source"
  )
  all_images = {name: source.array for name, source in sources.items()}
  training = {name: side.training for name, side in sides.items()}
  init = functools.partial(system.init, jax.random.key(config.seed))
  with checkpoints.Checkpoints(workdir, keep=config.train.max_to_keep) as saved:
    start = saved.latest or 0
    if start >= config.train.steps:
      logger.info(
        f"{workdir} is at step {start}; raise config.train.steps to go on"
      )
      return
    if start:
      logger.info(f"{workdir} goes on from step {start}")
      state = saved.restore(jax.eval_shape(init))
    else:
      state = jax.jit(init)()
    with (
      writer.Writer(workdir, resume_step=start) as log,
      loader.Loader(config, system, all_images, training, start) as batches,
    ):
      shown = _spread(config, all_images, training)
      _write_reals(workdir, shown)
      run = _Run(config, workdir, system, log, saved, shown, evaluators)
      run.to_the_end(state, batches)


class _Run:
  """One run's files and what it has yet to write to them."""

  def __init__(
    self,
    config: ml_collections.ConfigDict,
    workdir: pathlib.Path,
    system: interface.System,
    log: writer.Writer,
    saved: checkpoints.Checkpoints,
    shown: dict[str, Images],
    evaluators: Sequence[evaluators.Evaluator],
  ) -> None:
    self._train = config.train
    self._workdir = workdir
    self._system = system
    self._log = log
    self._saved = saved
    self._shown = shown
    self._evaluators = evaluators
    self._throughput = throughput.Throughput()
    self._frozen = parallel.replicate(system.load_frozen())
    self._call = parallel.make_call(system, config.data)

  def to_the_end(
    self, state: interface.TrainState, batches: loader.Loader
  ) -> None:
    """Updates until all steps are done or a signal asks to stop."""
    step = int(state.step)
    state = parallel.replicate(state)
    waiting = self._throughput.waiting(batches)
    with (
      stop.signals() as signals,
      tqdm.tqdm(total=self._train.steps, initial=step, unit="step") as bar,
    ):
      for call, batch in waiting:
        state, scalars = self._make(call, batch, state, batches.images)
        completed = call.done - step
        if not completed:
          continue
        step = call.done
        bar.update(completed)
        # A signal that comes while files are written waits for the next step,
        # with which the run is saved.
        last = step == self._train.steps or bool(signals)
        scalars = jax.tree.map(lambda x, n=completed: x[-n:], scalars)
        self._report(step, state, scalars, last=last)
        bar.set_postfix_str(self._throughput.line(), refresh=False)
        if last:
          break
      # A first signal does not interrupt the last checkpoint either.
      self._saved.wait()
    if signals and step < self._train.steps:
      logger.info(
        f"stopped by {signals[0]}; the same command goes on from {step}"
      )
    logger.info(f"{self._workdir}: step {step}, {self._throughput.summary()}")

  def _make(
    self,
    call: loader.Call,
    batch: PyTree,
    state: interface.TrainState,
    stored: PyTree,
  ) -> tuple[interface.TrainState, interface.Scalars]:
    numbers = np.array([number for _, number in call.turns], np.int32)
    state, scalars = self._call(
      state, self._frozen, stored, batch, numbers, call.phase, call.turn
    )
    if jax.default_backend() == "cpu":
      # Nothing runs beside a CPU's own work, and devices faked on a few cores
      # hang in their collectives when calls pile up.
      jax.block_until_ready(state)
    self._throughput.count(len(numbers) * call.phase.batch_size)
    return state, scalars

  def _report(
    self,
    step: int,
    state: interface.TrainState,
    scalars: interface.Scalars,
    *,
    last: bool,
  ) -> None:
    """Writes all that is due after the steps whose scalars these are."""
    train = self._train
    count = len(next(iter(scalars.values())))
    due = functools.partial(is_time, step, last=last, count=count)
    # On accelerators looking at every call would make the devices wait.
    if due(train.log_every) or jax.default_backend() == "cpu":
      self._write(step, jax.device_get(scalars), last=last)
    if due(train.sample_every):
      self._draw(step, state)
    for evaluator in self._evaluators:
      if due(evaluator.every):
        self._log.write(step, evaluator.evaluate(state))
    if due(train.save_every):
      self._save(step, state)

  def _write(self, step: int, scalars: PyTree, *, last: bool) -> None:
    """Writes the lines that are due, having looked at every step's scalars."""
    count = len(next(iter(scalars.values())))
    for i in range(count):
      number = step - count + i + 1
      line = {name: float(values[i]) for name, values in scalars.items()}
      finite = all(map(math.isfinite, line.values()))
      ends = not finite or (last and number == step)
      if is_time(number, self._train.log_every, last=ends):
        self._log.write(number, line | self._throughput.scalars())
      if not finite:
        self._diverged(number, line)

  def _draw(self, step: int, state: interface.TrainState) -> None:
    folder = self._workdir / "samples"
    folder.mkdir(exist_ok=True)
    sheets = self._system.samples(state, self._frozen, self._shown)
    for number, (name, drawn) in enumerate(sheets.items()):
      suffix = f"_{name}" if number else ""
      sheet = _contact_sheet(np.asarray(arrays.signed_to_bytes(drawn)))
      images.write(folder / f"step_{step:08d}{suffix}.png", sheet)
      self._log.image(name, step, sheet)
    writer.draw_losses(self._workdir)

  def _save(self, step: int, state: interface.TrainState) -> None:
    try:
      self._saved.save(step, state)
    except FloatingPointError as error:
      self._diverged(step, {str(error): math.nan})

  def _diverged(self, step: int, scalars: dict[str, float]) -> None:
    self._saved.wait()
    names = [n for n, value in scalars.items() if not math.isfinite(value)]
    good = self._saved.latest
    raise FloatingPointError(
      f"{names[0]} is {scalars[names[0]]} at step {step}: the training"
      " diverged; the last good checkpoint is"
      f" {'none' if good is None else f'step {good}'} in {self._workdir};"
      " lower the learning rates and use another --workdir"
    )


def is_time(step: int, every: int, *, last: bool, count: int = 1) -> bool:
  """Whether a multiple of `every` is among the last `count` steps.

  Args:
    step: completed steps.
    every: the period.
    last: whether the run ends here, which is always a time.
    count: steps since the question was last asked.
  """
  return last or step % every < count


def _decode(
  config: ml_collections.ConfigDict,
  workdir: pathlib.Path,
  system: interface.System,
) -> dict[str, decoded.Decoded]:
  """All images of each source, by the name that the system gives it."""
  fields = ["source", *system.sources[1:]]
  return {
    name: pipeline.decode(
      config.data,
      field=field,
      at_least=max(phase.batch_size for phase in system.phases),
      report=workdir,
    )
    for name, field in zip(system.sources, fields, strict=True)
  }


def _split(
  config: ml_collections.ConfigDict,
  system: interface.System,
  sources: dict[str, decoded.Decoded],
) -> dict[str, held_out.Split]:
  """The sides of each source; images of the first one are held out."""
  first = system.sources[0]
  return {
    name: held_out.split(
      source.array,
      config.data.hold_out if name == first else 0,
      at_least=max(phase.batch_size for phase in system.phases),
    )
    for name, source in sources.items()
  }


def _spread(
  config: ml_collections.ConfigDict,
  all_images: dict[str, np.ndarray],
  training: dict[str, np.ndarray],
) -> dict[str, Images]:
  """Training images in [-1, 1] for the contact sheets, from all over a source.

  Their number is `train.num_samples`; a small source repeats.
  """
  size, count = config.data.size, config.train.num_samples
  shown = {}
  for name, array in all_images.items():
    places = np.linspace(0, len(training[name]) - 1, count).astype(int)
    indices = training[name][places]
    margin = (array.shape[1] - size) // 2
    window = slice(margin, margin + size)
    chosen = jnp.asarray(array[indices][:, window, window])
    shown[name] = arrays.bytes_to_signed(chosen)
  return shown


def _write_reals(workdir: pathlib.Path, shown: dict[str, Images]) -> None:
  for number, (name, real_images) in enumerate(shown.items()):
    sheet = _contact_sheet(np.asarray(arrays.signed_to_bytes(real_images)))
    path = workdir / ("reals.png" if not number else f"reals_{name}.png")
    images.write(path, sheet)


def _contact_sheet(pixels: np.ndarray) -> np.ndarray:
  return images.grid(pixels, columns=math.ceil(len(pixels) ** 0.5))
