"""What is left of the memory: of the host's, or of a container's."""

import ctypes
import subprocess
import sys

import pytest

from astgan import memory

GIB = 2**30


def write(folder, files):
  folder.mkdir(parents=True, exist_ok=True)
  for name, value in files.items():
    (folder / name).write_text(f"{value}\n")


def left(monkeypatch, root):
  monkeypatch.setattr(memory, "_GROUPS", root)
  monkeypatch.setattr(memory, "_kept", lambda: 0)
  return memory.available_bytes()


def test_the_limit_of_a_container_counts_where_it_is_smaller(
  tmp_path, monkeypatch
):
  host = left(monkeypatch, tmp_path / "none")
  assert host > 2**28
  write(
    tmp_path,
    {
      "memory.max": 3 * 2**20,
      "memory.current": 2 * 2**20,
      "memory.stat": f"anon 1\ninactive_file {2**19}",
    },
  )
  assert left(monkeypatch, tmp_path) == 2**20 + 2**19
  write(tmp_path, {"memory.max": 2**20})
  assert left(monkeypatch, tmp_path) == 0


@pytest.mark.parametrize("limit", ["max", 2**62])
def test_a_container_without_a_limit_has_what_the_host_has(
  tmp_path, monkeypatch, limit
):
  write(
    tmp_path,
    {"memory.max": limit, "memory.current": 1, "memory.stat": "anon 1"},
  )
  assert left(monkeypatch, tmp_path) > 2**28


def test_older_kernels_have_other_names(tmp_path, monkeypatch):
  write(
    tmp_path / "memory",
    {
      "memory.limit_in_bytes": 2**21,
      "memory.usage_in_bytes": 2**20,
      "memory.stat": "total_inactive_file 5",
    },
  )
  assert left(monkeypatch, tmp_path) == 2**20 + 5


@pytest.mark.skipif(
  not hasattr(ctypes.CDLL(None), "mallinfo2"), reason="glibc before 2.33"
)
def test_what_malloc_keeps_is_left():
  program = """
import numpy as np
from astgan import memory
memory.keep_freed_blocks()
before = memory._kept()
array = np.ones(2**28, np.uint8)
during = memory._kept()
del array
print(during - before < 2**27 < memory._kept() - before)
"""
  told = subprocess.run(
    [sys.executable, "-c", program], capture_output=True, text=True, check=True
  )
  assert told.stdout == "True\n"
