"""The memory of the process: blocks that are kept, and what is left."""

import ctypes
import pathlib

import jax.numpy as jnp

# Options of mallopt in glibc's malloc.h.
_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3
_M_ARENA_MAX = -8
_LARGEST = 2**31 - 1

# Where a container finds its own limits.
_GROUPS = pathlib.Path("/sys/fs/cgroup")


def keep_freed_blocks() -> None:
  """Makes malloc keep large freed blocks and reuse them.

  On a CPU every call of a compiled program allocates new buffers. By default
  glibc returns them to the system, which zeroes the pages again at the next
  call. This takes an eighth of the processor time of a training step. Call
  this function before other threads start. It does nothing without glibc.
  """
  mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
  if mallopt is None:
    return
  mallopt(_M_MMAP_THRESHOLD, _LARGEST)
  mallopt(_M_TRIM_THRESHOLD, _LARGEST)
  # The arenas of threads are too small for such blocks, so malloc maps them.
  mallopt(_M_ARENA_MAX, 1)


def available_bytes() -> int:
  """Memory that is left on the default device; 2 GiB where nothing says it.

  On CPUs what is left on the host, or of the limit of its container, and what
  malloc keeps of the process' own.
  """
  (device,) = jnp.zeros(()).devices()
  statistics = device.memory_stats()
  if statistics and "bytes_limit" in statistics:
    return statistics["bytes_limit"] - statistics.get("bytes_in_use", 0)
  left = [*_left_on_host(), *_left_in_group(_GROUPS)]
  return min(left) + _kept() if left else 2**31


class _MallocFacts(ctypes.Structure):
  """`struct mallinfo2` of glibc's malloc.h."""

  _fields_ = [
    (name, ctypes.c_size_t)
    for name in (
      *("arena", "ordblks", "smblks", "hblks", "hblkhd"),
      *("usmblks", "fsmblks", "uordblks", "fordblks", "keepcost"),
    )
  ]


def _kept() -> int:
  """Freed bytes that malloc keeps; 0 where it does not say."""
  facts = getattr(ctypes.CDLL(None), "mallinfo2", None)
  if facts is None:  # glibc before 2.33, or another library.
    return 0
  facts.restype = _MallocFacts
  return facts().fordblks


def _left_on_host() -> list[int]:
  facts = pathlib.Path("/proc/meminfo")
  lines = facts.read_text().splitlines() if facts.exists() else ()
  return [
    1024 * int(line.split()[1])
    for line in lines
    if line.startswith("MemAvailable:")
  ]


def _left_in_group(root: pathlib.Path) -> list[int]:
  """What a container's limit leaves; [] where there is none.

  Files that the kernel caches count as used, and are given up when needed.
  """
  for limit, used, cache in (
    ("memory.max", "memory.current", "inactive_file"),
    ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes",
     "total_inactive_file"),
  ):  # fmt: skip
    try:
      most = (root / limit).read_text().strip()
      now = int((root / used).read_text())
      facts = (root / limit).with_name("memory.stat").read_text().splitlines()
    except OSError:
      continue
    if most == "max":
      return []
    freed = dict(line.split() for line in facts).get(cache, "0")
    return [max(0, int(most) - now + int(freed))]
  return []
