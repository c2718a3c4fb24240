"""Task `evaluate`: numbers of what a generator draws, or of any images."""

import json
import logging
import math
import pathlib
from typing import NamedTuple

import jax
import ml_collections
import numpy as np
from jaxtyping import UInt8

from astgan import atomic, checks, errors, runs, sampling
from astgan.data import compared, images
from astgan.features import extractors
from astgan.metrics import panel
from astgan.systems import generators, registry

logger = logging.getLogger(__name__)

# Rows of a sheet of nearest neighbours, and training images in a row.
_ROWS, _NEIGHBOURS = 16, 7

Images = UInt8[np.ndarray, "n s s 3"]


class Run(NamedTuple):
  """A training run whose generator is measured.

  Attributes:
    config: of the training.
    step: of the checkpoint.
    generator: latents to images.
    seen_nets: feature networks that the training used.
  """

  config: ml_collections.ConfigDict
  step: int
  generator: generators.Generator
  seen_nets: tuple[str, ...]


def evaluate(config: ml_collections.ConfigDict, workdir: pathlib.Path) -> None:
  """Compares images with those of a source; prints and writes the numbers.

  `metrics.json` holds every number by its name, the floor by `floor/NAME`, and
  what they depend on: `step` of the checkpoint of a run, `reference`
  ("held_out", or "training" where no images are held out), `hold_out`, `seed`,
  and `subset_size` of the kernel distance. `nearest_pixels.png` and
  `nearest_NET.png`, or `nearest_NET_seen.png` of a network that the training
  used, have a row for each of 16 images: the image, then its nearest training
  images.

  Raises:
    UserError: a field that cannot be, a run without a generator, or sets that
      cannot be compared.
  """
  _check(config)
  runs.check_run(workdir, config)
  evaluate = config.evaluate
  nets = [_load_net(name, evaluate) for name in evaluate.nets]
  run = _open_run(config) if evaluate.run else None
  data, fingerprint = config.data, None
  if not data.source:
    data = _data_of(run, config)
    folder = pathlib.Path(evaluate.run).expanduser()
    learned = runs.read_fingerprint(folder, "images.json")
    # Of the first source, as the metrics of a training.
    fingerprint = next(iter(learned.values())) if learned else None
  if run and data.size != run.config.data.size:
    raise errors.UserError(
      f"config.data.size={data.size}: the generator draws"
      f" {run.config.data.size} pixels a side; give the same"
    )
  given = None if run else compared.read_pictures(evaluate.pictures, data.size)
  reals = compared.read_reals(data, fingerprint)
  measures = panel.Panel(
    *reals,
    nets=nets,
    metrics=evaluate.metrics,
    count=evaluate.count if run else min(evaluate.count, len(given)),
    subset_size=evaluate.subset_size,
    subsets=evaluate.subsets,
    seen_nets=run.seen_nets if run else (),
    seed=config.seed,
  )
  runs.open_run(workdir, config)
  if run:
    key = jax.random.key(config.seed)
    given = run.generator.sample_bytes(key, measures.count)
  numbers, floor = measures.measure(given), measures.floor()
  # Of an earlier evaluation, perhaps by other networks.
  for path in workdir.glob("nearest_*.png"):
    path.unlink()
  protocol = {"step": run.step} if run else {}
  protocol |= {
    "reference": measures.reference,
    "hold_out": data.hold_out,
    "seed": config.seed,
    "subset_size": measures.subset_size,
  }
  _write_numbers(workdir, protocol, numbers, floor)
  logger.info("%s", table(numbers, floor))
  shown = given[:_ROWS]
  for name, indices in measures.nearest(shown, _NEIGHBOURS).items():
    _write_neighbours(
      workdir / f"nearest_{name}.png", shown, reals.training[indices]
    )


def table(numbers: dict[str, float], floor: dict[str, float]) -> str:
  """Names, values and floors in columns."""
  width = max(map(len, numbers))
  lines = [f"{'':{width}}  {'value':>10}  {'floor':>10}"]
  for name, value in numbers.items():
    least = f"{floor[name]:.4g}" if name in floor else "-"
    lines.append(f"{name:{width}}  {value:>10.4g}  {least:>10}")
  if not floor:
    lines.append("no floor: no images are held out (data.hold_out)")
  return "\n".join(lines)


def _check(config: ml_collections.ConfigDict) -> None:
  evaluate = config.evaluate
  if bool(evaluate.run) == bool(evaluate.pictures):
    raise errors.UserError(
      "give one of config.evaluate.run, the folder of a training run, and"
      " config.evaluate.pictures, a folder of images"
    )
  if evaluate.pictures:
    checks.filled(config, "data.source")
  checks.within(config, "evaluate.count", panel.FEWEST, 1_000_000)
  checks.within(config, "evaluate.subset_size", 0)
  checks.within(config, "evaluate.subsets", 1, 10_000)
  checks.filled(config, "evaluate.metrics")
  checks.subset_of(config, "evaluate.metrics", panel.METRICS)
  checks.subset_of(config, "evaluate.nets", extractors.names())
  if "inception" in evaluate.nets:
    checks.filled(config, "evaluate.inception")
  if not (evaluate.nets or set(evaluate.metrics) & set(panel.PIXEL_METRICS)):
    raise errors.UserError(
      "config.evaluate.nets is empty, but config.evaluate.metrics="
      f"{tuple(evaluate.metrics)} need a network; name one, such as random"
    )
  checks.within(config, "data.size", 32, 4096)
  checks.within(config, "data.hold_out", 0, 1, open_high=True)
  checks.within(config, "data.count", 1)
  checks.one_of(config, "data.crop", ("centre", "random"))
  checks.within(config, "data.zoom", 1, 16)
  checks.filled(config, "data.cache")


def _load_net(
  name: str, evaluate: ml_collections.ConfigDict
) -> extractors.Extractor:
  field, weights = "nets", "auto"
  if name == "inception":
    field, weights = "inception", evaluate.inception
  try:
    net = extractors.load(name, weights)
  except errors.UserError as error:
    raise errors.UserError(f"config.evaluate.{field}: {error}") from error
  if name == "inception" and not net.is_published:
    logger.warning(
      f"config.evaluate.inception={weights} is not the published file, so that"
      " its distances are no FID and KID and are called frechet_inception and"
      " kernel_inception"
    )
  return net


def _open_run(config: ml_collections.ConfigDict) -> Run:
  folder = pathlib.Path(config.evaluate.run).expanduser()
  trained = sampling.load(folder, step=config.evaluate.step)
  run_config = runs.read_training(folder)
  system = registry.make(run_config)
  seen_nets = tuple(getattr(system, "feature_nets", ()))
  return Run(run_config, trained.step, trained.generator, seen_nets)


def _data_of(
  run: Run, config: ml_collections.ConfigDict
) -> ml_collections.ConfigDict:
  """The section `data` of the training, which has what an evaluation's has."""
  try:
    for name in config.data:
      checks.field(run.config, f"data.{name}")
  except errors.UserError as error:
    path = pathlib.Path(config.evaluate.run) / "config.json"
    raise errors.UserError(
      f"{path} is of another version of astgan: {error}; give"
      " config.data.source, and with it this whole section, as it was trained"
    ) from error
  return run.config.data


def _write_numbers(
  workdir: pathlib.Path,
  protocol: dict[str, float | str],
  numbers: dict[str, float],
  floor: dict[str, float],
) -> None:
  values = numbers | {f"floor/{name}": value for name, value in floor.items()}
  finite = {
    name: value if math.isfinite(value) else None
    for name, value in values.items()
  }
  text = json.dumps(protocol | finite, indent=2) + "\n"
  atomic.write(workdir / "metrics.json", text.encode())


def _write_neighbours(
  path: pathlib.Path,
  shown: Images,
  neighbours: UInt8[np.ndarray, "n k s s 3"],
) -> None:
  rows = np.concatenate([shown[:, None], neighbours], axis=1)
  sheet = images.grid(rows.reshape(-1, *shown.shape[1:]), columns=rows.shape[1])
  images.write(path, sheet)
  logger.info(path)
