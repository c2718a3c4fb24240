"""Messages as plain lines, above the progress bars."""

import contextlib
import logging
import sys
from collections.abc import Iterator

import tqdm
from absl import logging as absl_logging


class _Lines(logging.Handler):
  """Info of this package to stdout; all warnings and errors to stderr."""

  def filter(self, record: logging.LogRecord) -> bool:
    ours = record.name.split(".")[0] == "astgan"
    return ours or record.levelno >= logging.WARNING

  def emit(self, record: logging.LogRecord) -> None:
    stream = sys.stdout if record.levelno < logging.WARNING else sys.stderr
    try:
      tqdm.tqdm.write(self.format(record), file=stream)
      stream.flush()
    except Exception:
      self.handleError(record)


@contextlib.contextmanager
def shown() -> Iterator[None]:
  """Shows messages in the body, in place of other console handlers."""
  root, package = logging.getLogger(), logging.getLogger("astgan")
  handlers, level = root.handlers, package.level
  consoles = (logging.StreamHandler, absl_logging.ABSLHandler)
  kept = [handler for handler in handlers if type(handler) not in consoles]
  root.handlers = [*kept, _Lines()]
  package.setLevel(logging.INFO)
  try:
    yield
  finally:
    root.handlers = handlers
    package.setLevel(level)
