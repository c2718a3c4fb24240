"""A training small enough to compile and run in seconds."""

import functools
import pathlib

import jax
import ml_collections
import numpy as np
import orbax.checkpoint as ocp

from astgan.train import state
from configs import common

# Two doublings, so that both networks have batch normalisation.
SIZE = 16


def make_config(**changes: object) -> ml_collections.ConfigDict:
  """A config of the smallest networks; changes by dotted name."""
  config = common.get_config()
  fields = {
    "data.size": SIZE,
    "model.width": 4,
    "model.latent": 5,
    "train.steps": 8,
    "train.batch_size": 8,
    "train.sample_every": 4,
    "train.save_every": 4,
  }
  names = {name.replace("__", "."): value for name, value in changes.items()}
  config.update_from_flattened_dict(fields | names)
  return config


def make_run_config(
  cache: pathlib.Path, **changes: object
) -> ml_collections.ConfigDict:
  """A config of the smallest run that settings allow, with files and all."""
  fields = {
    "compile_cache": "off",
    "data.size": 32,
    "data.count": 16,
    "data.cache": str(cache),
    "train.steps": 12,
    "train.late_step": 6,
    "train.batch_size": 4,
    "train.log_every": 2,
    "train.samples": 4,
    "train.keep": 9,
  }
  return make_config(**(fields | changes))


def create(config: ml_collections.ConfigDict) -> state.GANState:
  return jax.jit(functools.partial(state.create, config))()


def read_checkpoint(workdir: pathlib.Path, step: int) -> dict:
  """What a checkpoint holds, as host arrays."""
  with ocp.StandardCheckpointer() as checkpointer:
    folder = workdir / "checkpoints" / str(step) / "default"
    return checkpointer.restore(folder.absolute())


def draw_pictures(count: int, size: int = SIZE) -> np.ndarray:
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
