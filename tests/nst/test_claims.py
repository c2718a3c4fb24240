"""Photographs that processes share: locks, one folder, two real processes."""

import os
import pathlib
import re
import shutil
import subprocess
import sys
from concurrent import futures

import numpy as np
import pytest

from astgan import writer
from astgan.data import images
from astgan.nst import claims, paint
from configs import nst
from tests import pictures

ROOT = pathlib.Path(__file__).parents[2]
STEMS = ("bay", "cliff", "harbour", "pier")


def test_a_photograph_has_one_claim_at_a_time(tmp_path):
  folder = tmp_path / "unfinished"
  with claims.Claims(folder) as mine, claims.Claims(folder) as theirs:
    assert mine.claim("pier")
    assert not theirs.claim("pier")
    assert theirs.claim("harbour")
    mine.release("pier")
    assert theirs.claim("pier")
  assert not folder.exists()


def test_what_another_process_left_unfinished_stays(tmp_path):
  with claims.Claims(tmp_path / "unfinished") as mine:
    mine.claim("pier")
    (tmp_path / "unfinished" / "harbour.npz").touch()
  assert [path.name for path in (tmp_path / "unfinished").iterdir()] == [
    "harbour.npz"
  ]


def test_the_lock_of_a_killed_process_is_no_claim(tmp_path):
  (tmp_path / "pier.lock").touch()
  with claims.Claims(tmp_path) as mine:
    assert mine.claim("pier")


def test_a_folder_that_another_process_removes_is_made_again(tmp_path):
  folder, made = tmp_path / "unfinished", []
  with futures.ThreadPoolExecutor(3) as pool:

    def claim_and_leave(stem):
      for _ in range(300):
        with claims.Claims(folder) as mine:
          made.append(mine.claim(stem))

    list(pool.map(claim_and_leave, ["bay", "cliff", "pier"]))
  assert len(made) == 900 and all(made)


def make_config(folder):
  """Two steps of small paintings with the first layers of the network."""
  config = nst.get_config()
  config.features.weights = "random"
  config.paint.update(
    size=64,
    steps=2,
    content=str(folder / "photographs"),
    style=str(folder / "style.png"),
    style_layers=("conv_1", "conv_2"),
    content_layers=("conv_2",),
  )
  return config


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
  """Four photographs, and the run of one process that painted them."""
  folder = tmp_path_factory.mktemp("alone")
  (folder / "photographs").mkdir()
  for number, stem in enumerate(STEMS):
    path = folder / "photographs" / f"{stem}.png"
    images.write(path, pictures.noise(40, 80, number))
  images.write(folder / "style.png", pictures.noise(64, 64, 9))
  paint.paint(make_config(folder), folder / "run")
  return folder


def assert_same(workdir, expected):
  """All photographs are painted as there, each once, and no lock is left."""
  for stem in STEMS:
    np.testing.assert_array_equal(
      images.read(workdir / "painted" / f"{stem}.png"),
      images.read(expected / "painted" / f"{stem}.png"),
    )
  lines = [(line["photograph"], line["step"]) for line in writer.read(workdir)]
  assert sorted(lines) == [(stem, step) for stem in STEMS for step in (0, 2)]
  assert not [*workdir.glob("*lock"), *workdir.glob("unfinished")]


def test_what_others_paint_is_left_to_them_until_they_are_gone(alone, tmp_path):
  config, workdir = make_config(alone), tmp_path / "run"
  workdir.mkdir()
  with claims.Claims(workdir / "unfinished") as theirs:
    theirs.claim("cliff")
    paint.paint(config, workdir)
    painted = sorted(path.stem for path in (workdir / "painted").iterdir())
    assert painted == ["bay", "harbour", "pier"]
  paint.paint(config, workdir)
  assert_same(workdir, alone / "run")


def test_a_damaged_photograph_is_left_to_nobody(alone, tmp_path, caplog):
  config, photographs = make_config(alone), tmp_path / "photographs"
  shutil.copytree(alone / "photographs", photographs)
  damaged = photographs / "harbour.png"
  damaged.write_bytes(damaged.read_bytes()[:-99])
  config.paint.content = str(photographs)
  paint.paint(config, tmp_path / "run")
  assert "1 of 4 images were skipped" in caplog.text
  painted = sorted(p.stem for p in (tmp_path / "run" / "painted").iterdir())
  assert painted == ["bay", "cliff", "pier"]
  assert not (tmp_path / "run" / "unfinished").exists()


# The painting of photographs in two processes, one of which may be killed when
# it writes its first painting.
PAGE = """
import os, pathlib, signal
from astgan.nst import photographs
from tests.nst import test_claims

def kill(*arguments):
  os.kill(os.getpid(), signal.SIGKILL)

if os.environ["JAX_PROCESS_ID"] == os.environ["KILLED"]:
  photographs.write = kill

def get_config():
  return test_claims.make_config(pathlib.Path(os.environ["ALONE"]))
"""


def launch(alone, folder, *, devices, killed=""):
  """Paints what `alone` holds in two processes of so many devices."""
  (folder / "page.py").write_text(PAGE)
  flags = os.environ["XLA_FLAGS"]
  flags = re.sub(r"(device_count=)\d", rf"\g<1>{devices}", flags)
  variables = {"ALONE": str(alone), "KILLED": killed, "XLA_FLAGS": flags}
  return subprocess.run(
    ["bash", "launch/multiprocess.sh", "2", f"--config={folder / 'page.py'}"]
    + [f"--workdir={folder / 'run'}"],
    cwd=ROOT,
    env=os.environ | {"PYTHON": sys.executable} | variables,
    capture_output=True,
    text=True,
    timeout=300,
  )


def test_two_processes_one_of_them_killed_paint_a_folder_as_one_does(
  alone, tmp_path
):
  # One of two devices: a process whose first painting is done, and not written.
  killed = launch(alone, tmp_path, devices=2, killed="1")
  assert killed.returncode == 1
  assert "start the same command again" in killed.stderr
  assert len(list((tmp_path / "run" / "painted").iterdir())) >= 2
  done = launch(alone, tmp_path, devices=1)
  assert done.returncode == 0, done.stderr
  assert_same(tmp_path / "run", alone / "run")
