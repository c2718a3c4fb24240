"""The first state of a training, whose networks may be those of another run."""

import functools
import json
import logging
import os
import pathlib
from collections.abc import Collection

import jax
import ml_collections
import numpy as np

from astgan import atomic, checkpoints, errors, runs, sampling
from astgan.systems import interface

logger = logging.getLogger(__name__)

# In the run folder: which checkpoint it started from.
_STARTED = "start.json"


def check(
  config: ml_collections.ConfigDict,
  workdir: pathlib.Path,
  system: interface.System,
) -> None:
  """Raises UserError if a run that begins cannot start from `start_from`.

  A warning says if that run was trained on images that this one holds out.

  Args:
    config: a training config.
    workdir: of the run, which reads the other one only when it begins.
    system: that is trained.
  """
  if not config.train.start_from or checkpoints.steps(workdir):
    return
  folder = _folder(config)
  other = runs.read_training(folder)
  systems = (config.system, *getattr(system, "donors", ()))
  if other.system not in systems:
    raise errors.UserError(
      f"config.train.start_from={folder} trained the system {other.system}, and"
      f" this is {config.system}; name a run of system {' or '.join(systems)}"
    )
  _, _, state = sampling.restore(folder, step=_step(workdir))
  first = jax.eval_shape(system.init, jax.random.key(config.seed))
  names = state.networks.keys() | first.networks.keys()
  if other.system != config.system:
    names = state.networks.keys() & first.networks.keys()
  there, here = _shapes(state, names), _shapes(first, names)
  differences = [
    f"{name} has shape {there.get(name, 'none')} there, and"
    f" {here.get(name, 'none')} here"
    for name in sorted(here.keys() | there.keys())
    if here.get(name) != there.get(name)
  ]
  if differences:
    raise errors.UserError(
      f"config.train.start_from={folder} has other networks: {differences[0]};"
      " name a run of the same sizes and widths"
    )
  _warn_of_leak(config.data, other.data, folder)


def first(
  config: ml_collections.ConfigDict,
  workdir: pathlib.Path,
  system: interface.System,
) -> interface.TrainState:
  """The state before the first step.

  With `train.start_from` parameters, collections and moving averages are those
  of that run's newest checkpoint, of all networks that it has. Optimisers, step
  and chance are new. The run folder keeps the number of that checkpoint: a run
  that is started again before its own first one begins with the same, even if
  the other run went on.

  Args:
    config: a training config that was checked.
    workdir: the run folder.
    system: that is trained.

  Raises:
    UserError: that checkpoint is gone, or its number is damaged.
  """
  init = functools.partial(system.init, jax.random.key(config.seed))
  state = jax.jit(init)()
  if not config.train.start_from:
    return state
  folder = _folder(config)
  _, step, other = sampling.restore(folder, step=_step(workdir))
  started = json.dumps({"run": str(folder), "step": step}) + "\n"
  atomic.write(workdir / _STARTED, started.encode())
  logger.info(f"{workdir} starts from step {step} of {folder}")
  networks = {
    name: network.replace(params=there.params, collections=there.collections)
    for name, network in state.networks.items()
    for there in [other.networks.get(name, network)]
  }
  ema = {
    # A copy: the state is donated, each buffer once.
    name: jax.tree.map(np.copy, other.ema.get(name, networks[name].params))
    for name in state.ema
  }
  return state.replace(networks=networks, ema=ema)


def _warn_of_leak(
  data: ml_collections.ConfigDict,
  there: ml_collections.ConfigDict,
  folder: pathlib.Path,
) -> None:
  """Warns if the other run learned from images that this one holds out.

  What a share holds out, a larger one holds out too. At another size or crop
  the bytes are others, and so are the sides.
  """
  if not data.hold_out or _place(data) != _place(there):
    return
  decoding = ("size", "crop", "zoom")[: 2 if data.crop == "centre" else 3]
  differences = [name for name in decoding if there.get(name) != data[name]]
  if (there.get("hold_out") or 0) < data.hold_out:
    differences.append("hold_out")
  if differences:
    told = ", ".join(
      f"data.{name}={there.get(name)} there and {data[name]} here"
      for name in differences
    )
    logger.warning(
      f"config.train.start_from={folder} was trained on images that this run"
      f" holds out ({told}): metrics will be better than on unseen images;"
      " start from a run with the same data section, or from none"
    )


def _place(data: ml_collections.ConfigDict) -> str:
  """The source, in one spelling of its folder."""
  place = data.source.removeprefix("folder:")
  return os.path.abspath(os.path.expanduser(place))


def _step(workdir: pathlib.Path) -> str:
  """The checkpoint that the run started from, or else the newest."""
  path = workdir / _STARTED
  if not path.exists():
    return "newest"
  try:
    return str(json.loads(path.read_bytes())["step"])
  except (ValueError, KeyError, TypeError) as error:
    raise errors.UserError(
      f"{path} is damaged; delete it to start from the newest checkpoint of"
      " config.train.start_from"
    ) from error


def _folder(config: ml_collections.ConfigDict) -> pathlib.Path:
  return pathlib.Path(config.train.start_from).expanduser()


def _shapes(
  state: interface.TrainState, names: Collection[str]
) -> dict[str, tuple[int, ...]]:
  """Shapes of those networks' parameters and collections by their place."""
  return {
    f"{name}{jax.tree_util.keystr(place)}": np.shape(leaf)
    for name, network in state.networks.items()
    if name in names
    for place, leaf in jax.tree.leaves_with_path(network.variables)
  }
