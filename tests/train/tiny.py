"""A training small enough to compile and run in seconds."""

import functools
import pathlib
import shutil
import types

import jax
import ml_collections
import numpy as np
import orbax.checkpoint as ocp

from astgan.systems import interface, registry
from astgan.train import loop
from configs import gan

SIZE = 32


def make_config(
  page: types.ModuleType = gan, **changes: object
) -> ml_collections.ConfigDict:
  """A page's smallest networks; changes by dotted name, `__` for `.`."""
  config = page.get_config()
  fields = {
    "data.size": SIZE,
    "data.count": 16,
    "model.width": 4,
    **({"model.latent_dim": 5} if "latent_dim" in config.model else {}),
    "train.steps": 12,
    "train.batch_size": 4,
    "train.log_every": 2,
    "train.sample_every": 4,
    "train.save_every": 4,
    "train.evaluate_every": 0,
    "train.num_samples": 4,
    "train.max_to_keep": 9,
    "compile_cache": "off",
  }
  names = {name.replace("__", "."): value for name, value in changes.items()}
  config.update_from_flattened_dict(fields | names)
  return config


def make_run_config(
  cache: pathlib.Path, **changes: object
) -> ml_collections.ConfigDict:
  """The same with a cache of decoded images."""
  return make_config(**({"data__cache": str(cache)} | changes))


def init(config: ml_collections.ConfigDict) -> interface.TrainState:
  """The first state of the config's system."""
  key = jax.random.key(config.seed)
  return jax.jit(functools.partial(registry.make(config).init, key))()


def train_twice(
  config: ml_collections.ConfigDict, folder: pathlib.Path
) -> tuple[pathlib.Path, dict, dict]:
  """A run of four steps, its end, and its end if it is killed before.

  The other run finds what a kill in the last of the steps leaves: files of
  steps that its newest checkpoint, of step 2, does not know.
  """
  config.train.update(steps=4, save_every=2)
  whole, killed = folder / "whole", folder / "killed"
  loop.train(config, whole)
  shutil.copytree(whole, killed)
  shutil.rmtree(killed / "checkpoints" / "4")
  loop.train(config, killed)
  return whole, read_checkpoint(whole, 4), read_checkpoint(killed, 4)


def update_on_two_devices(
  system: interface.System,
  state: interface.TrainState,
  batch: dict,
  draws: dict,
  turn: str,
  *,
  frozen: object = None,
) -> tuple[interface.TrainState, interface.Scalars]:
  """What each of two devices gives, which is the same on both.

  Args:
    system: whose update it is, in its first phase.
    state: before the update, the same on both.
    batch, draws: half of the examples go to each.
    turn: of the update.
    frozen: of the system, the same on both.
  """
  phase = system.phases[0]

  def update(state, batch, draws, frozen):
    return system.update(
      state, batch, draws, frozen,
      phase=phase, turn=turn, axis_name="devices",
    )  # fmt: skip

  halves = jax.tree.map(
    lambda x: x.reshape(2, len(x) // 2, *x.shape[1:]), (batch, draws)
  )
  mapped = jax.pmap(
    update, axis_name="devices", in_axes=(None, 0, 0, None), out_axes=0
  )
  both = mapped(state, *halves, frozen)
  first, second = (jax.tree.map(lambda x, d=d: x[d], both) for d in range(2))
  assert_equal(first, second)
  return first


def read_checkpoint(workdir: pathlib.Path, step: int) -> dict:
  """What a checkpoint holds, as host arrays."""
  with ocp.StandardCheckpointer() as checkpointer:
    folder = workdir / "checkpoints" / str(step) / "default"
    return checkpointer.restore(folder.absolute())


def distance(actual: dict, expected: dict) -> float:
  """The norm of the difference over the norm, of all floats together."""
  pairs = [
    (np.asarray(one, "float64"), np.asarray(other, "float64"))
    for one, other in zip(
      jax.tree.leaves(actual), jax.tree.leaves(expected), strict=True
    )
    if np.issubdtype(np.asarray(other).dtype, np.floating)
  ]
  difference = sum(np.sum((one - other) ** 2) for one, other in pairs)
  return float(np.sqrt(difference / sum(np.sum(x**2) for _, x in pairs)))


def parts(checkpoint: dict, kind: str) -> dict:
  """The `params`, or the `opt_state`, of all networks of a checkpoint."""
  return {
    name: network[kind] for name, network in checkpoint["networks"].items()
  }


def draw_images(count: int, size: int = SIZE) -> np.ndarray:
  """Bytes [count size size 3], all different."""
  draws = np.random.default_rng(0)
  return draws.integers(0, 256, (count, size, size, 3), np.uint8)


def assert_close(actual, expected, *, rtol: float) -> None:
  """Raises unless all leaves agree, relative to each leaf's largest value."""
  for (path, one), (_, other) in zip(
    jax.tree.leaves_with_path(actual),
    jax.tree.leaves_with_path(expected),
    strict=True,
  ):
    largest = np.max(np.abs(np.asarray(other)), initial=0)
    np.testing.assert_allclose(
      one,
      other,
      rtol=rtol,
      atol=rtol * largest,
      err_msg=jax.tree_util.keystr(path),
      strict=True,
    )


def assert_equal(actual, expected) -> None:
  """Raises unless all leaves agree bit for bit."""
  for (path, one), (_, other) in zip(
    jax.tree.leaves_with_path(actual),
    jax.tree.leaves_with_path(expected),
    strict=True,
  ):
    np.testing.assert_array_equal(
      one, other, err_msg=jax.tree_util.keystr(path), strict=True
    )
