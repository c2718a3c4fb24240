"""The launch scripts, as far as stand-ins for the services can tell."""

import os
import pathlib
import re
import shlex
import signal
import subprocess
import sys
import sysconfig
import time

import pytest
import yaml

ROOT = pathlib.Path(__file__).parents[1]
LAUNCH = ROOT / "launch"
SCRIPTS = sorted([*LAUNCH.glob("*.sh"), *LAUNCH.glob("*.sbatch")])
FLAGS = ["--config=configs/dcgan.py", "--config.data.source=folder:my images"]

# The options of sbatch that are used here, with the form of their values.
SBATCH = {
  "job-name": r"\w+",
  "nodes": r"\d+",
  "ntasks-per-node": r"\d+",
  "gpus-per-node": r"\d+",
  "cpus-per-task": r"\d+",
  "time": r"\d+:\d\d:\d\d",
  "output": r"\S+",
  "signal": r"[A-Z]+@\d+",
  "requeue": None,
  "open-mode": "append|truncate",
}

# Writes its environment and its arguments, and ends with a status.
STAND_IN = """#!/usr/bin/env bash
env > {log}.env
printf '%s\\n' "$@" > {log}
exit {status}
"""


def run(command, folder, *, name, status=0, **variables):
  """A command with a stand-in for one program: status, stderr, its log."""
  path = folder / name
  path.write_text(STAND_IN.format(log=folder / "log", status=status))
  path.chmod(0o755)
  variables["PATH"] = f"{folder}:{os.environ['PATH']}"
  done = subprocess.run(
    command,
    cwd=ROOT,
    env=os.environ | variables,
    capture_output=True,
    text=True,
  )
  return done.returncode, done.stderr, folder / "log"


def read(log):
  """The arguments that a stand-in got, and its environment."""
  lines = log.with_suffix(".env").read_text().splitlines()
  pairs = (line.partition("=") for line in lines)
  return log.read_text().splitlines(), {name: text for name, _, text in pairs}


def test_shellcheck_finds_nothing():
  program = pathlib.Path(sysconfig.get_path("scripts"), "shellcheck")
  command = [program, "--shell=bash", "--external-sources", *SCRIPTS]
  done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
  assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize(
  "path", sorted(LAUNCH.iterdir()), ids=lambda path: path.name
)
def test_a_file_is_short_and_begins_with_what_it_is(path):
  lines = path.read_text().splitlines()
  assert len(lines) <= 40
  assert next(x for x in lines if not x.startswith("#!")).startswith("# ")


def test_one_process_gets_the_flags_and_is_alone(tmp_path):
  command = ["bash", "launch/local.sh", *FLAGS]
  python = str(tmp_path / "python")
  status, _, log = run(
    command,
    tmp_path,
    name="python",
    status=2,
    PYTHON=python,
    ASTGAN_CLUSTER="slurm",
  )
  arguments, variables = read(log)
  assert (status, arguments) == (2, ["-m", "astgan.main", *FLAGS])
  assert "ASTGAN_CLUSTER" not in variables


def test_a_number_of_processes_is_asked_for(tmp_path):
  for number in ([], ["0"], ["two"]):
    command = ["bash", "launch/multiprocess.sh", *number]
    status, told, _ = run(command, tmp_path, name="python")
    assert status == 2 and told.startswith("usage: ")


# Each process ends with a status of its own.
ENDING = """#!/usr/bin/env bash
statuses=({})
exit "${{statuses[$JAX_PROCESS_ID]}}"
"""


@pytest.mark.parametrize(
  ("statuses", "expected"), [("75 0", 75), ("2 75", 2), ("75 137", 1)]
)
def test_the_worst_status_of_all_processes_is_theirs(
  tmp_path, statuses, expected
):
  python = tmp_path / "python"
  python.write_text(ENDING.format(statuses))
  python.chmod(0o755)
  variables = {"PYTHON": str(python), "PORT": "1"}
  done = subprocess.run(
    ["bash", "launch/multiprocess.sh", "2", *FLAGS],
    cwd=ROOT,
    env=os.environ | variables | {"ASTGAN_STOPPED_STATUS": "75"},
    capture_output=True,
    text=True,
  )
  assert done.returncode == expected
  assert ("goes on from what was saved" in done.stderr) == (expected == 1)


# Ends when it is told to, and says so.
WAITING = """#!/usr/bin/env bash
trap 'echo stopped; exit 0' TERM
touch {folder}/$JAX_PROCESS_ID.ready
for ((i = 0; i < 600; i++)); do sleep 0.1; done
"""


@pytest.mark.parametrize(
  "number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP]
)
def test_a_signal_reaches_every_process(tmp_path, number):
  python = tmp_path / "python"
  python.write_text(WAITING.format(folder=tmp_path))
  python.chmod(0o755)
  # Under nohup the tests ignore SIGHUP, which is inherited.
  before = signal.signal(number, signal.default_int_handler)
  with subprocess.Popen(
    ["bash", "launch/multiprocess.sh", "2", *FLAGS],
    cwd=ROOT,
    env=os.environ | {"PYTHON": str(python), "PORT": "1"},
    stdout=subprocess.PIPE,
    text=True,
  ) as script:
    signal.signal(number, before)
    while len(list(tmp_path.glob("*.ready"))) < 2:
      time.sleep(0.05)
    script.send_signal(number)
    told, _ = script.communicate(timeout=60)
  assert (script.returncode, told) == (0, "stopped\nstopped\n")


def test_every_option_of_sbatch_stands_before_the_first_command():
  lines = (LAUNCH / "slurm.sbatch").read_text().splitlines()
  first = next(i for i, x in enumerate(lines) if x and x[0] != "#")
  options = [x for x in lines if x.startswith("#SBATCH")]
  assert options == [x for x in lines[:first] if x.startswith("#SBATCH")]
  for option in options:
    name, _, value = option.removeprefix("#SBATCH --").partition("=")
    assert re.fullmatch(SBATCH[name] or "", value), option


@pytest.mark.parametrize(
  ("status", "expected"), [(0, 0), (2, 2), (137, 1), (75, 75)]
)
def test_slurm_starts_the_program_in_every_task(tmp_path, status, expected):
  command = ["bash", "launch/slurm.sbatch", *FLAGS]
  variables = {"ASTGAN_STOPPED_STATUS": "75"} if status == 75 else {}
  ended, told, log = run(
    command, tmp_path, name="srun", status=status, **variables
  )
  arguments, variables = read(log)
  assert arguments[-4:] == ["-m", "astgan.main", *FLAGS]
  # A task that ends, or fails, leaves the paintings of the others alone.
  assert {"--kill-on-bad-exit=0", "--wait=0"} <= set(arguments)
  assert variables["ASTGAN_CLUSTER"] == "slurm"
  assert ended == expected
  assert ("goes on from what was saved" in told) == (expected == 1)


# SLURM runs a copy of the script, in the folder of the job, and of the program
# what `srun` is given, once a task.
SERVICE = {
  "sbatch": """#!/usr/bin/env bash
while [[ $1 == --* ]]; do shift; done
cp "$1" {folder}/slurm_script
export SLURM_SUBMIT_DIR=$PWD
cd /
exec bash {folder}/slurm_script "${{@:2}}"
""",
  "srun": """#!/usr/bin/env bash
while [[ $1 == --* ]]; do shift; done
for task in 0 1; do
  SLURM_PROCID=$task SLURM_LOCALID=$task "$@" &
done
wait
""",
  "python": """#!/usr/bin/env bash
exec {python} {folder}/meet.py "$@"
""",
  "meet.py": """
import sys, jax
from astgan import distributed
distributed.start()
told = distributed.by_first(lambda: sys.argv[1:])
parts = jax.process_index(), jax.process_count(), *told
# In one piece: both write to one pipe, without buffers where Python is told so.
sys.stdout.write("|".join(map(str, parts)) + chr(10))
""",
}


def test_the_tasks_of_slurm_meet(tmp_path):
  for name, text in SERVICE.items():
    path = tmp_path / name
    path.write_text(text.format(folder=tmp_path, python=sys.executable))
    path.chmod(0o755)
  done = subprocess.run(
    ["sbatch", "--nodes=2", "launch/slurm.sbatch", *FLAGS],
    cwd=ROOT,
    env=os.environ
    | {
      "PATH": f"{tmp_path}:{os.environ['PATH']}",
      "PYTHON": str(tmp_path / "python"),
      "PYTHONPATH": str(ROOT),
      "SLURM_JOB_ID": str(os.getpid()),
      "SLURM_STEP_NODELIST": "localhost",
      "SLURM_NTASKS": "2",
    },
    capture_output=True,
    text=True,
    timeout=300,
  )
  assert done.returncode == 0, done.stderr
  arguments = "|".join(["-m", "astgan.main", *FLAGS])
  assert sorted(done.stdout.splitlines()) == [
    f"{task}|2|{arguments}" for task in range(2)
  ]


def test_a_tpu_vm_is_told_the_flags_as_they_are(tmp_path):
  command = ["bash", "launch/tpu_vm.sh", "pod", "us-east1-d", *FLAGS]
  status, _, log = run(command, tmp_path, name="gcloud")
  arguments, _ = read(log)
  told = shlex.split(arguments[-1].removeprefix("--command="))
  assert status == 0
  assert told[:4] == ["cd", "~/astgan", "&&", "ASTGAN_CLUSTER=tpu"]
  assert told[-4:] == ["-m", "astgan.main", *FLAGS]
  assert {"pod", "--zone=us-east1-d", "--worker=all"} <= set(arguments)
  assert told[4:6] == ["ASTGAN_STOPPED_STATUS=0", ".venv/bin/python"]
  _, _, log = run(command, tmp_path, name="gcloud", PYTHON="~/conda/python")
  arguments, _ = read(log)
  assert " ~/conda/python -m astgan.main " in arguments[-1]
  status, told, log = run(
    command, tmp_path, name="gcloud", status=75, ASTGAN_STOPPED_STATUS="75"
  )
  assert (status, told) == (75, "")
  assert " ASTGAN_STOPPED_STATUS=75 " in read(log)[0][-1]
  status, told, _ = run(command[:4], tmp_path, name="gcloud")
  assert status == 2 and told.startswith("usage: ")


# The fields of Kubernetes' API that are used here, and what they hold: a type,
# values, a list of one kind, or fields. "?" stands for names that are free.
META = {"name": str, "labels": {"?": str}}
RULE = {
  "action": ("FailJob", "Ignore", "Count"),
  "onExitCodes": {"operator": ("In", "NotIn"), "values": [int]},
}
CONTAINER = {
  "name": str,
  "image": str,
  "command": [str],
  "args": [str],
  "env": [{"name": str, "value": str}],
  "resources": {"limits": {"?": (int, str)}},
  "volumeMounts": [{"name": str, "mountPath": str}],
}
POD = {
  "subdomain": str,
  "restartPolicy": ("Never", "OnFailure"),
  "terminationGracePeriodSeconds": int,
  "containers": [CONTAINER],
  "volumes": [{"name": str, "persistentVolumeClaim": {"claimName": str}}],
}
SCHEMA = {
  "Service": {
    "apiVersion": ("v1",),
    "kind": str,
    "metadata": META,
    "spec": {
      "clusterIP": ("None",),
      "publishNotReadyAddresses": bool,
      "selector": {"?": str},
    },
  },
  "Job": {
    "apiVersion": ("batch/v1",),
    "kind": str,
    "metadata": META,
    "spec": {
      "completionMode": ("Indexed", "NonIndexed"),
      "completions": int,
      "parallelism": int,
      "backoffLimit": int,
      "podFailurePolicy": {"rules": [RULE]},
      "template": {"metadata": {"labels": {"?": str}}, "spec": POD},
    },
  },
}


def assert_fits(value, schema, place):
  if isinstance(schema, dict):
    assert isinstance(value, dict), place
    for name, inside in value.items():
      assert name in schema or "?" in schema, f"{place}.{name}"
      assert_fits(inside, schema.get(name, schema.get("?")), f"{place}.{name}")
  elif isinstance(schema, list):
    assert isinstance(value, list), place
    for number, inside in enumerate(value):
      assert_fits(inside, schema[0], f"{place}[{number}]")
  elif isinstance(schema, tuple):
    assert value in schema or type(value) in schema, place
  else:
    # Not isinstance: a bool is an int, and "4" and 4 are told apart.
    assert type(value) is schema, place


@pytest.mark.parametrize(
  ("right", "wrong"),
  [
    ('value: "4"', "value: 4"),
    ("completions:", "completion:"),
    ("values: [2]", "values: 2"),
    ("Never", "Always"),
  ],
)
def test_the_schema_finds_mistakes(right, wrong):
  text = (LAUNCH / "kubernetes.yaml").read_text()
  _, job = yaml.safe_load_all(text.replace(right, wrong))
  with pytest.raises(AssertionError, match=r"Job\.spec"):
    assert_fits(job, SCHEMA["Job"], "Job")


def test_the_pods_of_a_job_find_the_first(tmp_path):
  text = (LAUNCH / "kubernetes.yaml").read_text()
  service, job = yaml.safe_load_all(text)
  for kind, found in (("Service", service), ("Job", job)):
    assert found["kind"] == kind
    assert_fits(found, SCHEMA[kind], kind)
  spec, template = job["spec"], job["spec"]["template"]
  pod = template["spec"]
  (container,) = pod["containers"]
  variables = {x["name"]: x["value"] for x in container["env"]}
  assert spec["completionMode"] == "Indexed"
  count = int(variables["JAX_NUM_PROCESSES"])
  assert spec["completions"] == spec["parallelism"] == count
  assert service["spec"]["clusterIP"] == "None"
  assert service["spec"]["selector"] == template["metadata"]["labels"]
  assert pod["subdomain"] == service["metadata"]["name"]
  first = f"{job['metadata']['name']}-0.{pod['subdomain']}"
  assert variables["JAX_COORDINATOR_ADDRESS"].split(":")[0] == first
  mounted = {x["name"] for x in container["volumeMounts"]}
  assert mounted == {x["name"] for x in pod["volumes"]}
  # A run that was stopped is not done, and starts again without an end.
  stopped = int(variables["ASTGAN_STOPPED_STATUS"])
  actions = {
    status: rule["action"]
    for rule in spec["podFailurePolicy"]["rules"]
    for status in rule["onExitCodes"]["values"]
  }
  assert actions == {2: "FailJob", stopped: "Ignore"} and stopped > 2
  command = container["command"] + container["args"]
  _, _, log = run(command, tmp_path, name="python", JOB_COMPLETION_INDEX="3")
  arguments, variables = read(log)
  assert arguments[:2] == ["-m", "astgan.main"]
  assert variables["JAX_PROCESS_ID"] == "3"


def test_the_image_copies_what_there_is():
  text = (LAUNCH / "Dockerfile").read_text()
  lines = [x.split() for x in text.splitlines() if x and x[0] not in "# "]
  assert next(x[0] for x in lines) == "FROM"
  copied = [name for x in lines if x[0] == "COPY" for name in x[1:-1]]
  assert {"astgan", "configs", "pyproject.toml"} <= set(copied)
  assert all((ROOT / name).exists() for name in copied)
