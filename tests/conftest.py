"""Two CPU devices, shapes enforced, silent promotions raise."""

import contextlib
import importlib.metadata
import os
import signal

# Before JAX starts: every test process sees two devices, and compiles several
# times faster than it would for speed: with no optimisation, no line numbers,
# with the older emitters of fused loops, which need no MLIR, and each program
# in one piece. On a busy machine a device may wait for the other one for longer
# than the 40 seconds after which XLA aborts. With no more threads than devices,
# a device that waits in a collective may hold the thread that the other one
# needs.
os.environ["JAX_PLATFORMS"] = "cpu"
os.environ["JAX_TRACEBACK_IN_LOCATIONS_LIMIT"] = "0"
os.environ.setdefault("PJRT_NPROC", "8")
os.environ["XLA_FLAGS"] = " ".join(
  [
    os.environ.get("XLA_FLAGS", ""),
    "--xla_force_host_platform_device_count=2",
    "--xla_backend_optimization_level=0",
    # A version that does not know a flag aborts.
    *(
      ["--xla_cpu_use_fusion_emitters=false"]
      + ["--xla_cpu_parallel_codegen_split_count=1"]
      + ["--xla_cpu_collective_call_terminate_timeout_seconds=300"]
      if importlib.metadata.version("jaxlib").startswith("0.10.")
      else []
    ),
  ]
)

import jaxtyping

import tests.typechecker  # noqa: F401 (the hook finds it by name)

jaxtyping.install_import_hook("astgan", "tests.typechecker.check")

import jax  # noqa: E402

jax.config.update("jax_numpy_rank_promotion", "raise")
jax.config.update("jax_numpy_dtype_promotion", "strict")

import pytest  # noqa: E402

# Shells ignore it in what runs in their background, and tests raise it.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def programs(tmp_path_factory):
  """Compiled programs of this session, shared with the processes it starts."""
  folder = str(tmp_path_factory.mktemp("programs"))
  for name, value in (
    ("jax_compilation_cache_dir", folder),
    ("jax_persistent_cache_min_compile_time_secs", 0.3),
  ):
    os.environ[name.upper()] = str(value)
    jax.config.update(name, value)
  return folder


@pytest.fixture(scope="module", autouse=True)
def few_programs():
  """Frees a module's programs: thousands exhaust the maps of a process."""
  yield
  jax.clear_caches()


@pytest.fixture(scope="session")
def decoded(tmp_path_factory):
  """A cache of decoded images for this session."""
  return tmp_path_factory.mktemp("decoded")


@pytest.fixture(scope="session")
def trained(tmp_path_factory, decoded):
  """The run folder of a tiny training that was never stopped; to be read."""
  from astgan.train import loop
  from tests.train import tiny

  workdir = tmp_path_factory.mktemp("runs") / "trained"
  loop.train(tiny.make_run_config(decoded), workdir)
  return workdir


@pytest.fixture
def one_device(monkeypatch):
  """A context in which JAX has the first of the two devices alone."""

  @contextlib.contextmanager
  def hidden():
    first = jax.devices()[:1]
    with monkeypatch.context() as patch:
      for name in ("devices", "local_devices"):
        patch.setattr(jax, name, lambda: first)
      for name in ("device_count", "local_device_count"):
        patch.setattr(jax, name, lambda: 1)
      yield

  return hidden
