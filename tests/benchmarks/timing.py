"""Fair timing of two programs on one machine, in one run.

Times drift with the machine's other work and its temperature, so the two are
called in turn and compared by their medians.
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


class Pair(NamedTuple):
  """Median seconds per call of each, and the first over the second."""

  first: float
  second: float

  @property
  def ratio(self) -> float:
    return self.first / self.second


def interleave(
  first: Callable[[], None],
  second: Callable[[], None],
  *,
  seconds: float = 20.0,
  least: int = 5,
) -> Pair:
  """Calls the two in turn until the time is over, and takes medians.

  Args:
    first, second: each returns when its work is done; both are warmed up by
      two calls that do not count.
    seconds: for the calls that count, both together.
    least: calls of each, however long they take.
  """
  for warm in (first, second) * 2:
    warm()
  times = ([], [])
  end = time.perf_counter() + seconds
  while len(times[1]) < least or time.perf_counter() < end:
    for call, record in zip((first, second), times, strict=True):
      start = time.perf_counter()
      call()
      record.append(time.perf_counter() - start)
  return Pair(*(statistics.median(record) for record in times))


def matmul_rate(matmul: Callable[[], None], size: int) -> float:
  """Measured operations per second of a product of two square matrices.

  Args:
    matmul: multiplies two matrices of that size and waits for the product.
    size: rows and columns.
  """
  for _ in range(2):
    matmul()
  times = []
  for _ in range(7):
    start = time.perf_counter()
    matmul()
    times.append(time.perf_counter() - start)
  return 2 * size**3 / min(times)


def serve_torch(
  make_step: Callable[..., Callable[[], None]], field: str
) -> None:
  """The side of a child that steps in PyTorch.

  Args:
    make_step: called with the size, the device, and whether to compile and how
      many steps to make a call.
    field: the name of the size on the command line.
  """
  import torch

  parser = argparse.ArgumentParser()
  parser.add_argument(f"--{field}", type=int, required=True, dest="size")
  parser.add_argument("--repeat", type=int, required=True)
  parser.add_argument("--mode", choices=["eager", "compiled"], required=True)
  flags = parser.parse_args()
  device = "cuda" if torch.cuda.is_available() else "cpu"
  torch.backends.cuda.matmul.allow_tf32 = True
  torch.backends.cudnn.allow_tf32 = True
  torch.backends.cudnn.benchmark = True

  def facts():
    if device == "cuda":
      peak = torch.cuda.max_memory_allocated()
    else:
      peak = peak_resident_bytes()
    return {"peak_bytes": peak, "version": torch.__version__}

  compiled = flags.mode == "compiled"
  step = make_step(flags.size, device, compiled=compiled, repeat=flags.repeat)
  serve(step, facts=facts)


def peak_resident_bytes() -> int:
  """The most memory this process has held so far."""
  peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
  # Kilobytes, but bytes on macOS.
  return peak if sys.platform == "darwin" else peak * 1024


class Child:
  """A program in a process of its own; calling it makes one step there.

  Two frameworks in one process share its threads and its memory, and neither
  could be told apart. Used as a context manager; the process ends with it.

  Args:
    module: run as `python -m module`; it calls `serve`.
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
    # The end of its input ends the child.
    self._process.stdin.close()
    self._process.wait()
    self._process.stdout.close()

  def __call__(self) -> None:
    self._ask("step")

  def facts(self) -> dict[str, object]:
    """What the child says about itself."""
    return self._ask("facts")

  def _ask(self, question):
    self._process.stdin.write(question + "\n")
    self._process.stdin.flush()
    for line in self._process.stdout:
      if line.startswith(_ANSWER):
        return json.loads(line.removeprefix(_ANSWER))
    raise RuntimeError(f"{self._process.args} ended before it answered")


# Marks a child's answers among whatever else it prints.
_ANSWER = "answer "


def serve(
  step: Callable[[], None], *, facts: Callable[[], dict[str, object]]
) -> None:
  """The child's side: answers its parent until that hangs up."""
  for question in sys.stdin:
    if question.strip() == "step":
      step()
      answer = None
    else:
      answer = facts()
    print(_ANSWER + json.dumps(answer), flush=True)


def report(**fields: object) -> None:
  """Prints one line of JSON, floats at four digits."""
  rounded = {
    name: float(f"{value:.4g}") if isinstance(value, float) else value
    for name, value in fields.items()
  }
  print(json.dumps(rounded), flush=True)
