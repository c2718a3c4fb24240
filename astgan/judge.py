"""Task `judge`: numbers of painted pictures."""

import dataclasses
import functools
import json
import logging
import pathlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import ml_collections
import numpy as np
import tqdm
from jaxtyping import UInt8

from astgan import atomic, checks, errors, runs
from astgan.data import compared, images, paired
from astgan.features import weights
from astgan.metrics import painted

logger = logging.getLogger(__name__)


# What reads each of the images of a style.
Readers = list[Callable[[], images.Pixels]]


class Found(NamedTuple):
  """What is compared.

  Attributes:
    pairs: for each stem, the files of a photograph and of what was painted.
    style: images of the style; none where no measure asks for them.
  """

  pairs: dict[str, tuple[pathlib.Path, pathlib.Path]]
  style: Readers


@dataclasses.dataclass(frozen=True)
class Pairs(Sequence[paired.Pair]):
  """Photographs and their paintings, read from their files at each pass.

  Args:
    paths: the two files of each.
    longer_side: of every photograph, in pixels.
  """

  paths: Sequence[tuple[pathlib.Path, pathlib.Path]]
  longer_side: int

  def __len__(self) -> int:
    return len(self.paths)

  def __getitem__(self, index: int) -> paired.Pair:
    sides = {"longer_side": self.longer_side, "min_side": painted.MIN_SIDE}
    return paired.read(*self.paths[index], **sides)


@dataclasses.dataclass(frozen=True)
class StyleImages:
  """Style images, read at each pass.

  Args:
    readers: of each.
    longer_side: of every image, in pixels.
  """

  readers: Readers
  longer_side: int

  def __len__(self) -> int:
    return len(self.readers)

  def __iter__(self) -> Iterator[UInt8[np.ndarray, "_h _w 3"]]:
    for read in self.readers:
      image = read()
      sides = images.fitted(image.shape[:2], self.longer_side)
      # Each shape compiles the network once.
      height, width = (
        max(painted.MIN_SIDE, 16 * round(side / 16)) for side in sides
      )
      yield images.resize(image, height, width)


def judge(config: ml_collections.ConfigDict, workdir: pathlib.Path) -> None:
  """Compares painted pictures with their photographs and with a style.

  Prints a table and writes `judge.json`: each number by its name, and under
  `pictures` those of each picture by its stem. `astgan.metrics.painted`
  explains the names; each ends with the longer side, in pixels, at which the
  pictures were compared. Style images that cannot be read are skipped with one
  warning.

  Raises:
    UserError: a field or a file that the user can correct.
  """
  _check(config)
  section = config.judge
  found = _find(section)
  pairs = Pairs(list(found.pairs.values()), section.size)
  # What must be refused is refused before the run begins.
  for _ in pairs:
    pass
  style = StyleImages(_readable(found.style), section.size)
  params = _load(config)
  runs.open_run(workdir, config)
  measured = painted.measure(
    pairs,
    tqdm.tqdm(style, desc="style", unit="image"),
    measures=section.measures,
    params=params,
  )
  numbers = _label(measured.together, section.size)
  each = [_label(one, section.size) for one in measured.each]
  fields = numbers | {"pictures": dict(zip(found.pairs, each, strict=True))}
  text = json.dumps(fields, indent=2, allow_nan=False) + "\n"
  atomic.write(workdir / "judge.json", text.encode())
  heading = f"{len(pairs)} painted, {len(style)} of the style"
  logger.info("%s", table(numbers, heading))


def table(numbers: painted.Numbers, heading: str) -> str:
  """Names and values in columns."""
  width = max(map(len, numbers))
  lines = [f"{name:{width}}  {value:>10.4g}" for name, value in numbers.items()]
  return "\n".join([heading, *lines])


def _check(config: ml_collections.ConfigDict) -> None:
  checks.filled(config, "features.weights")
  checks.filled(config, "judge.painted")
  checks.filled(config, "judge.measures")
  checks.subset_of(config, "judge.measures", tuple(painted.NETS))
  checks.within(config, "judge.size", painted.MIN_SIDE, 4096)


def _find(section: ml_collections.ConfigDict) -> Found:
  """The files that the section names, or the painting run that it names."""
  content, style, paintings = section.content, section.style, section.painted
  folder = pathlib.Path(paintings).expanduser()
  if runs.is_run(folder):
    run = runs.read_config(folder)
    if run.get("task") != "paint":
      raise errors.UserError(
        f"config.judge.painted: {folder} is the run folder of no painting; name"
        " that of one, or images"
      )
    paintings = str(folder / "painted")
    try:
      had = {x: checks.field(run, f"paint.{x}") for x in ("content", "style")}
    except errors.UserError as error:
      raise errors.UserError(
        f"{folder / 'config.json'} is not of this version of astgan: {error};"
        " correct it, or name the painted images"
      ) from error
    content = content or had["content"]
    if not run.paint.get("styles"):
      style = style or had["style"]
  photographs = _files("content", content)
  matched = paired.match(photographs, _files("painted", paintings))
  needs_style = set(section.measures) - set(painted.LPIPS)
  return Found(matched, _style(style, section.size) if needs_style else [])


def _style(name: str, size: int) -> Readers:
  """The images of files, or those that a training run holds out."""
  path = pathlib.Path(name).expanduser()
  if not (name and runs.is_run(path)):
    files = _files("style", name)
    return [functools.partial(images.read, file) for file in files]
  try:
    data = runs.read_training(path).data
    # By the names that its system has for them.
    learned = runs.read_fingerprint(path, "images.json") or {}
    if "paintings" not in learned:
      raise errors.UserError(
        "it learned from no paintings; name a run that did, or images"
      )
    return compared.held_out_images(data, learned["paintings"], side=size)
  except errors.UserError as error:
    raise errors.UserError(f"config.judge.style={path}: {error}") from error


def _files(field: str, name: str) -> list[pathlib.Path]:
  if not name:
    raise errors.UserError(
      f"config.judge.{field} is empty; name an image or a folder of them"
    )
  path = pathlib.Path(name).expanduser()
  if runs.is_run(path):
    raise errors.UserError(
      f"config.judge.{field}: {path} is a run folder; name an image or a folder"
      " of them"
    )
  try:
    return images.find(path)
  except errors.UserError as error:
    raise errors.UserError(
      f"config.judge.{field}: {error}; name an image or a folder of them"
    ) from error


def _readable(readers: Readers) -> Readers:
  """The style images that can be read."""
  readable, failures = [], []
  for read in readers:
    try:
      read()
    except errors.UserError as error:
      failures.append(str(error))
    else:
      readable.append(read)
  if failures and not readable:
    raise errors.UserError(
      f"config.judge.style: no image can be read; the first: {failures[0]}"
    )
  if failures:
    logger.warning(
      f"style: {len(failures)} of {len(readers)} images were skipped; the"
      f" first: {failures[0]}"
    )
  return readable


def _load(config: ml_collections.ConfigDict) -> dict[str, Any]:
  """The parameters of the networks that the measures need, by name."""
  source = config.features.weights
  params = {}
  for measure in config.judge.measures:
    for net in painted.NETS[measure]:
      if net in params:
        continue
      # A file is that of VGG19; those of LPIPS have one source.
      is_own = net in painted.LPIPS and source != "random"
      try:
        params[net] = weights.load(net, "auto" if is_own else source)
      except errors.UserError as error:
        line = f"config.features.weights: {error}"
        if is_own:
          line = f"config.judge.measures: {error}, or leave {measure} out"
        raise errors.UserError(line) from error
  return params


def _label(numbers: painted.Numbers, size: int) -> painted.Numbers:
  """The numbers under names that say the size."""
  return {f"{name}_{size}": value for name, value in numbers.items()}
