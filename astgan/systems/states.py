"""States of training: the first, the next, and the generator of one."""

import pathlib
from collections.abc import Collection, Sequence

import flax.linen as nn
import jax
import jax.numpy as jnp
import ml_collections
import numpy as np
from jaxtyping import PyTree

from astgan import checkpoints
from astgan.arrays import Images
from astgan.systems import generators, interface, networks

# Folded into the run's key: the latents of the contact sheet.
_SAMPLES = 2**31 - 1


def first_state(
  key: jax.Array,
  states: dict[str, interface.NetworkState],
  *,
  averaged: Collection[str],
  train: ml_collections.ConfigDict,
  extra: PyTree = None,
) -> interface.TrainState:
  """The state before the first step.

  Args:
    key: of the run.
    states: the networks by name.
    averaged: names of those with a moving average, which starts as a copy.
    train: the section `train` of the config, with the decay of the averages.
    extra: further arrays of the system.
  """
  # Copies: the state is donated, each buffer once.
  ema = {
    name: jax.tree.map(jnp.copy, states[name].params)
    for name in averaged
    if train.ema_decay or train.ema_half_life
  }
  return interface.TrainState(
    step=jnp.zeros((), jnp.int32),
    key=jax.random.key_data(key),
    networks=states,
    ema=ema,
    extra=extra,
  )


def restore(
  system: interface.System,
  workdir: pathlib.Path,
  *,
  seed: int,
  step: int | None = None,
) -> tuple[int, interface.TrainState]:
  """The step and the state of a checkpoint.

  Args:
    system: that was trained.
    workdir: the run folder.
    seed: of the run.
    step: of the checkpoint; None is the newest that is not damaged.

  Raises:
    UserError: the folder has no such checkpoint.
  """
  template = jax.eval_shape(system.init, jax.random.key(seed))
  return checkpoints.restore(workdir, template, step=step)


def next_state(
  state: interface.TrainState,
  states: dict[str, interface.NetworkState],
  *,
  train: ml_collections.ConfigDict,
  phases: Sequence[interface.Phase] = (),
) -> interface.TrainState:
  """The state after a whole step, with the networks that it led to.

  Args:
    state: before the step.
    states: the networks by name.
    train: the section `train` of the config.
    phases: all of the system, where batch sizes differ.
  """
  decay = ema_decay(train, state.step, phases)
  ema = {
    name: networks.update_ema(average, states[name].params, decay=decay)
    for name, average in state.ema.items()
  }
  return state.replace(step=state.step + 1, networks=states, ema=ema)


def generator(
  state: interface.TrainState, name: str, module: nn.Module, latent_dim: int
) -> generators.Generator:
  """The generator of that name, its moving average where one is kept."""
  variables = generators.sampling_variables(
    module,
    state.networks[name].variables,
    state.ema.get(name),
    latent_dim=latent_dim,
  )
  return generators.Generator(module, variables, latent_dim)


def fixed_samples(
  state: interface.TrainState, sampler: generators.Generator, count: int
) -> Images:
  """What it draws from latents that are the same all through a run."""
  key = jax.random.fold_in(jax.random.wrap_key_data(state.key), _SAMPLES)
  return sampler.sample(key, count)


def ema_decay(
  train: ml_collections.ConfigDict,
  step: jax.Array,
  phases: Sequence[interface.Phase] = (),
) -> float | jax.Array:
  """The decay of the moving averages in the update after `step` of them.

  A half-life of h images is a decay of 2^(-b / h) in a batch of b over all
  devices. Early on it is a twentieth of the images seen so far, in batches of
  all sizes, so that the average forgets the first networks.

  Args:
    train: the section `train` of the config.
    step: completed updates.
    phases: all of the system; () is one, of `train.batch_size`.

  References: Karras et al., Training Generative Adversarial Networks with
    Limited Data, 2020, and its program, for the twentieth.
  """
  if not train.ema_half_life:
    return train.ema_decay
  starts = [phase.start for phase in phases] or [0]
  sizes = [phase.batch_size for phase in phases] or [train.batch_size]
  # Each phase changes the size of all batches that follow.
  changes = np.diff(np.float32(sizes), prepend=0)
  updates = step.astype(jnp.float32) + 1 - np.float32(starts)
  batch_size = jnp.sum(jnp.where(updates > 0, changes, 0))
  half_life = train.ema_half_life
  if not train.start_from:  # What comes from another run is not forgotten.
    images = jnp.sum(changes * jnp.maximum(updates, 0))
    half_life = jnp.minimum(half_life, images / 20)
  return 0.5 ** (batch_size / half_life)
