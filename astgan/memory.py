"""How the process keeps memory between the calls of compiled programs."""

import ctypes

# Of glibc's malloc.h.
_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3
_M_ARENA_MAX = -8
_LARGEST = 2**31 - 1


def keep_freed_blocks() -> None:
  """Lets malloc keep large blocks that were freed, to hand them out again.

  On a CPU every call of a compiled program allocates its buffers anew. By
  default glibc gives each back to the system, which clears its pages at the
  next call: an eighth of the processor time of a training step. To be called
  before there are other threads; where malloc is not glibc's it does nothing.
  """
  mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
  if mallopt is None:
    return
  mallopt(_M_MMAP_THRESHOLD, _LARGEST)
  mallopt(_M_TRIM_THRESHOLD, _LARGEST)
  # Threads' own arenas are too small for such blocks and would map them.
  mallopt(_M_ARENA_MAX, 1)
