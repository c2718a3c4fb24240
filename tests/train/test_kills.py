"""Kills at random moments; the benchmark makes many more."""

import json
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).parents[2]


def test_runs_killed_at_random_moments_end_as_ones_that_were_not():
  # While images are decoded, while a checkpoint is saved, and around that.
  command = [sys.executable, "-m", "tests.benchmarks.kills"]
  sizes = ["--trainings=3", "--steps=12", "--paintings=0"]
  done = subprocess.run(
    [*command, *sizes], cwd=ROOT, capture_output=True, text=True, env=os.environ
  )
  assert done.returncode == 0, done.stderr
  assert json.loads(done.stdout.splitlines()[-1])["kills"] == 3
