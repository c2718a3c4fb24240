"""The task `sweep` through its own command: stopped, and started again."""

import json
import pathlib
import signal
import subprocess
import sys
import threading
import time

import numpy as np

from astgan import main, writer
from astgan.data import images
from astgan.nst import claims
from astgan.sweep import sweep
from configs import sweep as page
from tests import pictures

ROOT = pathlib.Path(__file__).parents[2]
CHANGES = (
  "compile_cache=off",
  *("model.width=2", "data.count=16", "train.batch_size=4", "train.steps=120"),
  *("train.sample_every=120", "train.save_every=120", "train.log_every=1"),
  "train.evaluate_every=0",
)

PARTS = ("content", "style")


def start(workdir):
  return subprocess.Popen(
    [
      *(sys.executable, "-m", "astgan.main", "--config=configs/sweep.py"),
      "--config.sweep.page=configs/smoke.py",
      f"--config.sweep.changes={CHANGES!r}",
      "--config.sweep.fields=('loss.name=hinge|least_squares',)",
      *("--config.sweep.rank_by=discriminator/loss", f"--workdir={workdir}"),
    ],
    cwd=ROOT,
    stdout=subprocess.PIPE,
    stderr=subprocess.STDOUT,
    text=True,
  )


def test_a_sweep_that_was_stopped_goes_on_to_the_end(tmp_path):
  first = tmp_path / "runs" / "loss.name=hinge,seed=0"
  process = start(tmp_path)
  metrics = first / "metrics.jsonl"
  until = time.monotonic() + 300
  while not (metrics.exists() and metrics.stat().st_size > 1000):
    assert process.poll() is None, process.communicate()[0]
    assert time.monotonic() < until
    time.sleep(0.05)
  process.send_signal(signal.SIGTERM)
  output, _ = process.communicate(timeout=300)
  assert process.returncode == 0, output
  assert "stopped by SIGTERM; the same command goes on" in output
  (reached,) = (int(p.name) for p in (first / "checkpoints").iterdir())
  assert 0 < reached < 120

  process = start(tmp_path)
  output, _ = process.communicate(timeout=600)
  assert process.returncode == 0, output
  assert f"goes on from step {reached}" in output
  results = json.loads((tmp_path / "results.json").read_text())
  assert [result["ended"] for result in results] == ["done", "done"]
  assert [result["setting"] for result in results] == [
    "loss.name=hinge",
    "loss.name=least_squares",
  ]
  assert (tmp_path / "table.md").read_text().strip() in output
  assert (tmp_path / "curves.png").exists()
  assert (tmp_path / "sheet.png").exists()


def test_what_failed_is_tried_again_and_what_is_done_is_known(
  tmp_path, monkeypatch
):
  config, started = page.get_config(), []
  config.sweep.page = str(ROOT / "configs" / "smoke.py")
  config.sweep.fields = ("loss.name=hinge|least_squares",)

  def start(run, signals):
    started.append(run.setting)
    last = run.config.train.steps
    (run.workdir / "checkpoints" / str(last)).mkdir(parents=True)
    writer.rewrite(run.workdir, [{"step": last, "loss": 1.0}])
    return 0

  # Killed for want of memory: the next start tries it again.
  monkeypatch.setattr(sweep, "_start", lambda run, signals: -9)
  sweep.sweep(config, tmp_path)
  results = json.loads((tmp_path / "results.json").read_text())
  assert [result["ended"] for result in results] == ["failed", "failed"]
  monkeypatch.setattr(sweep, "_start", start)
  sweep.sweep(config, tmp_path)
  assert started == ["loss.name=hinge", "loss.name=least_squares"]
  # A sweep that was killed before it noted that its runs had ended.
  (tmp_path / "outcomes.json").unlink()
  sweep.sweep(config, tmp_path)
  assert len(started) == 2
  results = json.loads((tmp_path / "results.json").read_text())
  assert [result["ended"] for result in results] == ["done", "done"]


def test_a_sweep_paints_only_what_is_not_painted(tmp_path, monkeypatch):
  # In this process.
  monkeypatch.setattr(
    sweep, "_start", lambda run, _: main.main([*run.arguments])
  )
  draws = np.random.default_rng(0)
  noise = draws.integers(0, 256, (32, 40, 3), np.uint8)
  images.write(tmp_path / "photograph.png", noise)
  config = page.get_config()
  config.sweep.page = str(ROOT / "configs" / "nst.py")
  config.sweep.changes = (
    *("features.weights=random", "paint.size=40", "paint.steps=2"),
    *("paint.style_layers=('conv_1',)", "paint.content_layers=('conv_1',)"),
    *(f"paint.{part}={tmp_path}/photograph.png" for part in PARTS),
    "compile_cache=off",
  )
  config.sweep.fields = ("paint.style_weight=1|2",)
  workdir = tmp_path / "sweep"
  sweep.sweep(config, workdir)
  first, second = (
    workdir / "runs" / f"paint.style_weight={n},seed=0/painted/photograph.png"
    for n in (1, 2)
  )
  was = [path.stat().st_mtime_ns for path in (first, second)]
  second.unlink()
  sweep.sweep(config, workdir)
  assert first.stat().st_mtime_ns == was[0]
  assert second.stat().st_mtime_ns > was[1]
  results = json.loads((workdir / "results.json").read_text())
  assert [result["ended"] for result in results] == ["done", "done"]
  assert (workdir / "sheet.png").exists()


class Ended:
  """A process that has painted nothing."""

  def wait(self, _=None):
    return 0

  def kill(self):
    pass


def of_paintings(folder):
  config = page.get_config()
  config.sweep.page = str(ROOT / "configs" / "nst.py")
  config.sweep.changes = (f"paint.content={folder}", "paint.size=40")
  return config


def ends_of(workdir):
  results = json.loads((workdir / "results.json").read_text())
  return [result["ended"] for result in results]


def test_a_sweep_waits_for_paintings_of_a_run_that_a_killed_sweep_left(
  tmp_path, monkeypatch, caplog
):
  photograph = pictures.noise(32, 40)

  def wait_for(count):
    while caplog.text.count("photograph.lock: waiting") < count:
      assert thread.is_alive()
      time.sleep(0.05)

  def popen(*_, **__):
    # Between two photographs nothing is claimed for a moment.
    others.claim("photograph")
    return Ended()

  monkeypatch.setattr(sweep.subprocess, "Popen", popen)
  images.write(tmp_path / "photograph.png", photograph)
  arguments = of_paintings(tmp_path / "photograph.png"), tmp_path / "sweep"
  run = tmp_path / "sweep" / "runs" / "seed=0"
  (run / "painted").mkdir(parents=True)
  thread = threading.Thread(target=sweep.sweep, args=arguments)
  with caplog.at_level("INFO"), claims.Claims(run / claims.FOLDER) as others:
    others.claim("photograph")
    thread.start()
    wait_for(1)
    others.release("photograph")
    wait_for(2)
    images.write(run / "painted" / "photograph.png", photograph)
    others.release("photograph")
    thread.join(300)
  assert ends_of(tmp_path / "sweep") == ["done"]


def test_paintings_are_done_when_only_damaged_photographs_are_left(
  tmp_path, monkeypatch
):
  folder = tmp_path / "photographs"
  folder.mkdir()
  for name in ("whole", "damaged"):
    images.write(folder / f"{name}.png", pictures.noise(32, 40))
  damaged = folder / "damaged.png"
  damaged.write_bytes(damaged.read_bytes()[:500])

  def start(run, signals):
    (run.workdir / "painted").mkdir(parents=True)
    images.write(run.workdir / "painted" / "whole.png", pictures.noise(32, 40))
    return 0

  monkeypatch.setattr(sweep, "_start", start)
  sweep.sweep(of_paintings(folder), tmp_path / "sweep")
  assert ends_of(tmp_path / "sweep") == ["done"]
  damaged.unlink()
  images.write(damaged, pictures.noise(32, 40))
  monkeypatch.setattr(sweep, "_start", lambda run, signals: 0)
  sweep.sweep(of_paintings(folder), tmp_path / "sweep")
  assert ends_of(tmp_path / "sweep") == ["stopped"]
