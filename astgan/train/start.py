"""The first state of a training, whose networks may be those of another run."""

import functools
import pathlib

import jax
import ml_collections
import numpy as np

from astgan import checkpoints, errors, sampling
from astgan.systems import interface


def check(
  config: ml_collections.ConfigDict,
  workdir: pathlib.Path,
  system: interface.System,
) -> None:
  """Raises UserError if a run that begins cannot start from `start_from`.

  Args:
    config: a training config.
    workdir: of the run, which reads the other one only when it begins.
    system: that is trained.
  """
  if not config.train.start_from or checkpoints.steps(workdir):
    return
  folder = _folder(config)
  _, _, state = sampling.restore(folder)
  there = _shapes(state)
  here = _shapes(jax.eval_shape(system.init, jax.random.key(config.seed)))
  differences = [
    f"{name} has shape {there.get(name, 'none')} there, and"
    f" {here.get(name, 'none')} here"
    for name in sorted(here.keys() | there.keys())
    if here.get(name) != there.get(name)
  ]
  if differences:
    raise errors.UserError(
      f"config.train.start_from={folder} has other networks: {differences[0]};"
      " name a run of the same system, sizes and widths"
    )


def first(
  config: ml_collections.ConfigDict, system: interface.System
) -> interface.TrainState:
  """The state before the first step.

  With `train.start_from` parameters, collections and moving averages are those
  of that run's newest checkpoint. Optimisers, step and chance are new.

  Args:
    config: a training config that was checked.
    system: that is trained.
  """
  init = functools.partial(system.init, jax.random.key(config.seed))
  state = jax.jit(init)()
  if not config.train.start_from:
    return state
  _, _, other = sampling.restore(_folder(config))
  networks = {
    name: network.replace(
      params=other.networks[name].params,
      collections=other.networks[name].collections,
    )
    for name, network in state.networks.items()
  }
  ema = {
    # A copy: the state is donated, each buffer once.
    name: jax.tree.map(np.copy, other.ema.get(name, networks[name].params))
    for name in state.ema
  }
  return state.replace(networks=networks, ema=ema)


def _folder(config: ml_collections.ConfigDict) -> pathlib.Path:
  return pathlib.Path(config.train.start_from).expanduser()


def _shapes(state: interface.TrainState) -> dict[str, tuple[int, ...]]:
  """Shapes of all parameters and collections by their place."""
  return {
    f"{name}{jax.tree_util.keystr(place)}": np.shape(leaf)
    for name, network in state.networks.items()
    for place, leaf in jax.tree.leaves_with_path(network.variables)
  }
