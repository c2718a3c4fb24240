"""Stopping by a signal, as schedulers and people do."""

import contextlib
import signal
import threading
from collections.abc import Iterator

# Set by a task that a signal ended before its end: it saved, and can go on.
early = threading.Event()


@contextlib.contextmanager
def signals() -> Iterator[list[str]]:
  """A list that gets the name of the first signal to stop in the body.

  They are SIGTERM, SIGINT and SIGHUP. A second one does what it would have done
  without; what is ignored, as SIGHUP is under nohup, stays so. Outside the main
  thread, where Python handles no signals, the list stays empty.
  """
  names: list[str] = []
  if threading.current_thread() is not threading.main_thread():
    yield names
    return
  before = {}

  def note(number: int, _frame: object) -> None:
    names.append(signal.Signals(number).name)
    restore()

  def restore() -> None:
    for number, handler in before.items():
      signal.signal(number, handler)

  for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
    if signal.getsignal(number) != signal.SIG_IGN:
      before[number] = signal.signal(number, note)
  try:
    yield names
  finally:
    restore()
