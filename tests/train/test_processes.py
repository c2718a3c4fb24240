"""Two real processes on this host, through the launch script."""

import os
import pathlib
import re
import signal
import subprocess
import sys

import jax
import numpy as np
import pytest

from astgan import distributed, errors, runs, writer
from astgan.train import loop
from tests.train import tiny

ROOT = pathlib.Path(__file__).parents[2]

# The system `gan`; a signal hits a process when it schedules a step, some steps
# before it makes that.
PAGE = """
import os
from astgan.systems import gan, registry
from tests.train import tiny

class Hit(gan.GAN):
  def turns(self, step, phase):
    here = os.environ["JAX_PROCESS_ID"] == os.environ["HIT"]
    if here and step == int(os.environ["AT"]):
      os.kill(os.getpid(), int(os.environ["SIGNAL"]))
    return super().turns(step, phase)

registry.SYSTEMS["gan"] = Hit

def get_config():
  return tiny.make_run_config(os.environ["CACHE"], train__steps=24)
"""


@pytest.fixture(scope="module")
def launched(tmp_path_factory, decoded):
  """A run that one signal stopped and two killed, and what was said."""
  folder = tmp_path_factory.mktemp("processes")
  page = folder / "page.py"
  page.write_text(PAGE)
  flags = re.sub(r"(device_count=)\d", r"\g<1>1", os.environ["XLA_FLAGS"])
  variables = {"PYTHON": sys.executable, "CACHE": decoded, "XLA_FLAGS": flags}
  command = ["bash", "launch/multiprocess.sh", "2", f"--config={page}"]
  ends = []
  for number, process, step in (
    *((signal.SIGTERM, 1, 16), (signal.SIGKILL, 1, 18)),
    (signal.SIGKILL, 0, 19),
  ):
    hit = {"SIGNAL": int(number), "HIT": process, "AT": step}
    hit = {name: str(value) for name, value in hit.items()}
    ends.append(
      subprocess.run(
        [*command, f"--workdir={folder / 'run'}"],
        cwd=ROOT,
        env=os.environ | variables | hit,
        capture_output=True,
        text=True,
        timeout=300,
      )
    )
  return folder / "run", *ends


def test_two_processes_do_what_two_devices_of_one_do(launched, trained):
  run, *_ = launched
  tiny.assert_close(
    tiny.read_checkpoint(run, 4), tiny.read_checkpoint(trained, 4), rtol=1e-5
  )
  losses = [
    [line["discriminator/loss"] for line in writer.read(folder)[:2]]
    for folder in (run, trained)
  ]
  np.testing.assert_allclose(*losses, rtol=1e-5)


def test_a_signal_to_one_process_stops_all_at_one_step(launched):
  run, stopped, *_ = launched
  assert stopped.returncode == 0, stopped.stderr
  (step,) = re.findall(
    r"stopped by a signal to .* on from (\d+);", stopped.stdout
  )
  assert (run / "checkpoints" / step).exists()


def test_a_lost_process_ends_the_others_with_a_line(launched):
  _, stopped, killed, _ = launched
  assert killed.returncode == 1
  assert "goes on from step" in killed.stdout
  assert "another process was lost; start all of them again" in killed.stderr
  assert "Traceback" not in stopped.stderr + killed.stderr


def test_a_lost_first_process_ends_the_others_and_the_script_says_so(launched):
  *_, killed = launched
  assert killed.returncode == 1
  assert "goes on from step" in killed.stdout
  assert "start the same command again" in killed.stderr
  assert "Traceback" not in killed.stderr


def test_a_run_of_two_processes_goes_on_in_one(
  launched, trained, decoded, one_device
):
  run, *_ = launched
  with one_device():
    loop.train(tiny.make_run_config(decoded), run)
  assert not (run / "lock").exists()
  tiny.assert_close(
    tiny.read_checkpoint(run, 12), tiny.read_checkpoint(trained, 12), rtol=1e-5
  )
  assert [x["step"] for x in writer.read(run)] == [2, 4, 6, 8, 10, 12]


def test_a_second_run_in_a_folder_is_refused(tmp_path, decoded):
  config = tiny.make_run_config(decoded)
  with (
    runs.alone(tmp_path),
    pytest.raises(errors.UserError, match="in use by another process"),
  ):
    loop.train(config, tmp_path)
  assert list(tmp_path.iterdir()) == []
  # One that was killed leaves the file, and no lock.
  (tmp_path / "lock").touch()
  with runs.alone(tmp_path):
    pass


@pytest.mark.parametrize(
  ("variables", "told"),
  [
    ({"ASTGAN_CLUSTER": "moon"}, "ASTGAN_CLUSTER=moon"),
    ({"ASTGAN_CLUSTER": "processes"}, "JAX_COORDINATOR_ADDRESS is not set"),
    ({"JAX_NUM_PROCESSES": "0"}, "JAX_NUM_PROCESSES=0"),
    ({"JAX_PROCESS_ID": "2"}, "JAX_PROCESS_ID=2: it is below"),
    ({"JAX_PROCESS_ID": "-1"}, "JAX_PROCESS_ID=-1: it is a number"),
    ({"ASTGAN_CLUSTER": "slurm"}, "ASTGAN_CLUSTER=slurm: the processes do not"),
  ],
)
def test_a_meeting_place_that_cannot_be_is_named(monkeypatch, variables, told):
  if "ASTGAN_CLUSTER" not in variables:
    variables = {
      "ASTGAN_CLUSTER": "processes",
      "JAX_COORDINATOR_ADDRESS": "127.0.0.1:1",
      "JAX_NUM_PROCESSES": "2",
    } | variables
  for name, value in variables.items():
    monkeypatch.setenv(name, value)
  with pytest.raises(errors.UserError, match=re.escape(told)):
    distributed.start()


@pytest.mark.parametrize(
  ("cluster", "name"),
  [("slurm", "SLURM_LOCALID"), ("processes", "JAX_LOCAL_DEVICE_IDS")],
)
def test_one_that_meets_no_others_leaves_them_their_devices(
  monkeypatch, cluster, name
):
  updates = {}
  monkeypatch.setattr(jax.config, "update", updates.__setitem__)
  monkeypatch.setenv("ASTGAN_CLUSTER", cluster)
  monkeypatch.delenv(name, raising=False)
  distributed.use_own_devices()
  assert not updates
  monkeypatch.setenv(name, "3")
  distributed.use_own_devices()
  assert updates["jax_cuda_visible_devices"] == "3"
  assert distributed.is_alone()


def test_a_process_whose_environment_says_nothing_is_alone():
  distributed.start()
  assert distributed.is_alone() and distributed.is_first()
  assert distributed.by_first(lambda: (1, "a")) == (1, "a")
  distributed.leave(1)
