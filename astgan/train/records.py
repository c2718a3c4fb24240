"""config.json and metrics.jsonl, as the checkpoints of a run vouch for them.

Each checkpoint carries both, under its digests: the config, and all lines up to
its step. A run that is started again compares, and goes on with what they say
where a file is damaged. Fields that may change between two starts are not
compared, since each start writes them anew; lines after the newest checkpoint
are written again as well, but for those of roll-backs.
"""

import logging
import pathlib

import ml_collections

from astgan import atomic, checkpoints, runs, writer

_CONFIG, _LINES = "config.json", "metrics.jsonl"

logger = logging.getLogger(__name__)


def of(
  config: ml_collections.ConfigDict, workdir: pathlib.Path
) -> dict[str, bytes]:
  """The files that a checkpoint carries, as they are now."""
  return {
    _CONFIG: runs.as_json(config),
    _LINES: _read(workdir / _LINES) or b"",
  }


def damaged(workdir: pathlib.Path) -> dict[str, bytes]:
  """The damaged files of a run, each with what it should be."""
  carried = checkpoints.read_files(workdir, (_CONFIG, _LINES))
  if carried is None:
    return {}
  step, files = carried
  mended = {}
  config, lines = _read(workdir / _CONFIG), _read(workdir / _LINES)
  if config is None or not runs.keeps(config, files[_CONFIG]):
    mended[_CONFIG] = files[_CONFIG]
  # The last line may be one that a kill has cut.
  *after, _ = (lines or b"")[len(files[_LINES]) :].split(b"\n")
  good = [text for text in after if _is_later(text, step)]
  if lines is None or not lines.startswith(files[_LINES]) or good != after:
    mended[_LINES] = files[_LINES] + b"".join(text + b"\n" for text in good)
  return mended


def mend(workdir: pathlib.Path) -> None:
  """Sets the damaged files of a run aside, and writes them as they should be.

  Nobody else may be in the folder.
  """
  for name, data in damaged(workdir).items():
    path = workdir / name
    said = "is missing"
    if path.exists():
      aside = atomic.set_aside(path, f"damaged_{name}")
      said = f"is damaged: set aside as {aside.name}"
    atomic.write(path, data)
    logger.warning(f"{path} {said}; as the newest checkpoint has it again")


def _is_later(text: bytes, step: int) -> bool:
  """Whether it is a line that may follow those up to a step.

  Such as a roll-back to it, or the floors of metrics, which are of step 0.
  """
  line = writer.parse(text)
  return line is not None and (
    line["step"] > step or not line["step"] or "roll_back/from" in line
  )


def _read(path: pathlib.Path) -> bytes | None:
  try:
    return path.read_bytes()
  except FileNotFoundError:
    return None
