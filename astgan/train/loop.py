"""Task `train`: files in, files out; the mathematics is in step.py."""

import functools
import json
import math
import pathlib

import jax
import ml_collections
import numpy as np
import tqdm

from astgan import arrays, checkpoints, errors, runs, writer
from astgan.data import decoded, images, pipeline
from astgan.models import build
from astgan.train import feed, meter, parallel, settings, state, stop

# A run may go on with other values of these: they lengthen it or report, or
# belong to other tasks. On accelerators, where calls of several updates end at
# samples and checkpoints, other periods of those can change the last bits.
FREE = (
  "compile_cache",
  "data.cache",
  "train.steps",
  "train.log_every",
  "train.sample_every",
  "train.save_every",
  "train.keep",
  "train.samples",
  "features.",
  "paint.",
  "sample.",
)

# Folded into the run's key: the latents of the sample grids.
_GRID = 2**31 - 1


def train(config: ml_collections.ConfigDict, workdir: pathlib.Path) -> None:
  """Trains to `train.steps`, on from the newest checkpoint if there is one.

  Args:
    config: all fields of configs/common.py.
    workdir: the run folder.

  Raises:
    UserError: the config does not fit the devices, the data or the folder.
    FloatingPointError: a loss or a parameter is no longer finite.
  """
  settings.check(config)
  _keep_late_step(config, workdir)
  runs.check_run(workdir, config, free=FREE)
  pictures = pipeline.decode(
    config.data, batch_size=config.train.batch_size, report=workdir
  )
  runs.open_run(workdir, config, free=FREE)
  _check_same_pictures(workdir, pictures)
  create = functools.partial(state.create, config)
  with checkpoints.Checkpoints(workdir, keep=config.train.keep) as saved:
    start = saved.latest or 0
    if start >= config.train.steps:
      print(f"{workdir} is at step {start}; raise config.train.steps to go on")
      return
    if start:
      print(f"{workdir} goes on from step {start}")
      current = saved.restore(jax.eval_shape(create))
    else:
      current = jax.jit(create)()
      images.write(workdir / "reals.png", _overview(config, pictures.array))
    with (
      writer.Writer(workdir, resume_step=start) as log,
      feed.Feed(config, pictures.array, start) as batches,
    ):
      _Run(config, workdir, log, saved).to_the_end(current, batches)


class _Run:
  """One run's files and what it has yet to write to them."""

  def __init__(
    self,
    config: ml_collections.ConfigDict,
    workdir: pathlib.Path,
    log: writer.Writer,
    saved: checkpoints.Checkpoints,
  ) -> None:
    self._config = config
    self._workdir = workdir
    self._log = log
    self._saved = saved
    # Scalars still on the devices: completed updates before, and each's [k].
    self._pending: list[tuple[int, dict[str, jax.Array]]] = []
    self._meter = meter.Meter(config.train.batch_size)
    self._sample = build.sampler(config)
    self._calibrate = build.calibrator(config)

  def to_the_end(self, current: state.GANState, batches: feed.Feed) -> None:
    """Updates until all steps are done or a signal asks to stop."""
    train = self._config.train
    call = parallel.make_call(self._config)
    step = int(current.step)
    current = parallel.on_every_device(current)
    grid_key = jax.random.wrap_key_data(current.key)
    grid_key = jax.random.fold_in(grid_key, _GRID)
    with (
      stop.signals() as signals,
      tqdm.tqdm(total=train.steps, initial=step, unit="step") as bar,
    ):
      # Not until a signal: one that comes while files are written waits for the
      # next update, with which the run is saved.
      last = False
      while not last:
        with self._meter.waiting():
          count, batch = batches.next(step)
        current, scalars = call(current, batches.pictures, batch)
        if jax.default_backend() == "cpu":
          # Nothing runs beside a CPU's own work, and devices faked on a few
          # cores hang in their collectives when calls pile up.
          jax.block_until_ready(current)
        self._pending.append((step, scalars))
        step += count
        self._meter.count(count)
        bar.update(count)
        last = step == train.steps or bool(signals)
        if is_time(step, train.log_every, last=last, count=count):
          # The newest call's scalars stay, so that the devices never wait.
          self._write(self._pending[:-1])
          bar.set_postfix_str(self._meter.line())
        if is_time(step, train.sample_every, last=last):
          self._draw(step, grid_key, current)
        if is_time(step, train.save_every, last=last):
          self._write(self._pending)
          self._save(step, current)
    self._saved.wait()
    if signals:
      print(f"stopped by {signals[0]}; the same command goes on from {step}")
    print(f"{self._workdir}: step {step}, {self._meter.summary()}")

  def _write(self, pending: list[tuple[int, dict[str, jax.Array]]]) -> None:
    """Writes the scalars' lines that are due, having looked at every one."""
    train = self._config.train
    for before, scalars in jax.device_get(pending):
      for i in range(len(scalars["generator/loss"])):
        step = before + i + 1
        line = {name: float(values[i]) for name, values in scalars.items()}
        finite = all(map(math.isfinite, line.values()))
        last = step == train.steps or not finite
        if is_time(step, train.log_every, last=last):
          self._log.write(step, line | self._meter.scalars())
        if not finite:
          self._diverged(step, line)
    del self._pending[: len(pending)]

  def _draw(self, step: int, key: jax.Array, current: state.GANState) -> None:
    count = self._config.train.samples
    latents = jax.random.normal(key, (count, self._config.model.latent))
    if current.ema is None:
      stats = current.generator.stats
      variables = {"params": current.generator.params, "batch_stats": stats}
    else:
      variables = self._calibrate(current.ema)
    drawn = self._sample(variables, latents)
    pictures = np.asarray(arrays.signed_to_bytes(drawn))
    grid = images.grid(pictures, columns=math.ceil(count**0.5))
    folder = self._workdir / "samples"
    folder.mkdir(exist_ok=True)
    images.write(folder / f"step_{step:08d}.png", grid)
    self._log.image("samples", step, grid)
    writer.draw_losses(self._workdir)

  def _save(self, step: int, current: state.GANState) -> None:
    try:
      self._saved.save(step, current)
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
      " lower config.train.learning_rate and use another --workdir"
    )


def is_time(step: int, every: int, *, last: bool, count: int = 1) -> bool:
  """Whether a multiple of `every` is among the last `count` steps.

  Args:
    step: completed updates.
    every: the period.
    last: whether the run ends here, which is always a time.
    count: updates since the question was last asked.
  """
  return last or step % every < count


def _keep_late_step(
  config: ml_collections.ConfigDict, workdir: pathlib.Path
) -> None:
  """Keeps the late step that a run began with when only its steps are raised.

  It follows the steps unless it is given, and would else move to where the
  run's labels have changed already.
  """
  train = config.train
  if not (workdir / "config.json").exists():
    return
  began = runs.read_config(workdir).train
  follows = train.late_step == train.steps // 2
  if train.steps != began.steps and follows:
    train.late_step = began.late_step
    print(f"{workdir} keeps config.train.late_step={train.late_step}")


def _check_same_pictures(
  workdir: pathlib.Path, pictures: decoded.Pictures
) -> None:
  """Raises UserError where the run began with other pictures."""
  path = workdir / "pictures.json"
  facts = {"count": len(pictures.array), "sha256": pictures.sha256}
  text = json.dumps(facts) + "\n"
  if not path.exists():
    runs.write_atomically(path, text.encode())
  elif path.read_text() != text:
    raise errors.UserError(
      f"the pictures of config.data.source are not those that {workdir} began"
      f" with (now {facts['count']}; see {path}); bring those back, or use"
      " another --workdir"
    )


def _overview(
  config: ml_collections.ConfigDict, pictures: np.ndarray
) -> np.ndarray:
  """A grid of real pictures, spread over the whole source."""
  count = min(config.train.samples, len(pictures))
  indices = np.linspace(0, len(pictures) - 1, count).astype(int)
  return images.grid(pictures[indices], columns=math.ceil(count**0.5))
