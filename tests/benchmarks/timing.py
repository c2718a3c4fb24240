"""Timing of two programs in one run.

Times drift with the load and the temperature of the machine. The two programs
are therefore called alternately and compared by their medians.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import NamedTuple

# Prefix of an answer, since a child may print other lines.
_ANSWER = "answer "


class Pair(NamedTuple):
  """Median seconds per call of each, and the first over the second."""

  first: float
  second: float

  @property
  def ratio(self) -> float:
    return self.first / self.second


def interleave(
  first: Callable[[], None], second: Callable[[], None], *, seconds: float
) -> Pair:
  """Median times of alternate calls, at least five of each.

  Args:
    first, second: each returns when its work is done. Two calls of each are a
      warm-up and do not count.
    seconds: for the calls of both together.
  """
  for warm_up in (first, second) * 2:
    warm_up()
  times = ([], [])
  end = time.perf_counter() + seconds
  while len(times[1]) < 5 or time.perf_counter() < end:
    for call, record in zip((first, second), times, strict=True):
      start = time.perf_counter()
      call()
      record.append(time.perf_counter() - start)
  return Pair(*map(statistics.median, times))


def peak_resident_bytes() -> int:
  """Peak memory of this process."""
  peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
  # Kilobytes, but bytes on macOS.
  return peak if sys.platform == "darwin" else peak * 1024


class Child:
  """A context manager for a program in its own process; a call is one step.

  Two frameworks in one process would share its threads and its memory.

  Args:
    module: run as `python -m module`, and calls `serve`.
    options: its command line.
  """

  def __init__(self, module: str, *options: str) -> None:
    self._process = subprocess.Popen(
      [sys.executable, "-m", module, *options],
      stdin=subprocess.PIPE,
      stdout=subprocess.PIPE,
      text=True,
    )

  def __enter__(self) -> "Child":
    return self

  def __exit__(self, *exception: object) -> None:
    self._process.communicate()  # Closes its input, which ends it.

  def __call__(self) -> None:
    self._ask("step")

  def facts(self) -> dict[str, object]:
    """Peak memory, and the version of another framework."""
    return self._ask("facts")

  def _ask(self, question):
    self._process.stdin.write(question + "\n")
    self._process.stdin.flush()
    for line in self._process.stdout:
      if line.startswith(_ANSWER):
        return json.loads(line.removeprefix(_ANSWER))
    raise RuntimeError(f"{self._process.args} ended before it answered")


def serve(
  step: Callable[[], None], *, facts: Callable[[], dict[str, object]]
) -> None:
  """Answers the parent process until it closes the pipe."""
  for question in sys.stdin:
    answer = None
    if question.strip() == "facts":
      answer = facts()
    else:
      step()
    print(_ANSWER + json.dumps(answer), flush=True)


def serve_torch(
  make_step: Callable[..., Callable[[], None]], field: str
) -> None:
  """Serves the steps of a PyTorch program.

  Args:
    make_step: called with the size, the device, whether to compile, and the
      number of steps per call.
    field: name of the size on the command line.
  """
  import torch

  parser = argparse.ArgumentParser()
  parser.add_argument(f"--{field}", type=int, required=True, dest="size")
  parser.add_argument("--repeat", type=int, required=True)
  parser.add_argument("--mode", choices=["eager", "compiled"], required=True)
  flags, _ = parser.parse_known_args()
  device = "cuda" if torch.cuda.is_available() else "cpu"
  torch.backends.cuda.matmul.allow_tf32 = True
  torch.backends.cudnn.allow_tf32 = True
  torch.backends.cudnn.benchmark = True

  def facts():
    on_gpu = device == "cuda"
    peak = (
      torch.cuda.max_memory_allocated() if on_gpu else peak_resident_bytes()
    )
    return {"peak_bytes": peak, "version": torch.__version__}

  compiled = flags.mode == "compiled"
  step = make_step(flags.size, device, compiled=compiled, repeat=flags.repeat)
  serve(step, facts=facts)


def report(**fields: object) -> None:
  """Prints one line of JSON with floats of four digits."""
  rounded = {
    name: float(f"{value:.4g}") if isinstance(value, float) else value
    for name, value in fields.items()
  }
  print(json.dumps(rounded), flush=True)
