"""The state of a training before its first step and after each step."""

from collections.abc import Collection

import jax
import jax.numpy as jnp
from jaxtyping import PyTree

from astgan.systems import interface, networks


def first_state(
  key: jax.Array,
  states: dict[str, interface.NetworkState],
  *,
  averaged: Collection[str],
  ema_decay: float,
  extra: PyTree = None,
) -> interface.TrainState:
  """The state before the first step.

  Args:
    key: of the run.
    states: the networks by name.
    averaged: names of those with a moving average, which starts as a copy.
    ema_decay: of the averages; 0 keeps none.
    extra: further arrays of the system.
  """
  # Copies: the state is donated, each buffer once.
  ema = {
    name: jax.tree.map(jnp.copy, states[name].params)
    for name in averaged
    if ema_decay
  }
  return interface.TrainState(
    step=jnp.zeros((), jnp.int32),
    key=jax.random.key_data(key),
    networks=states,
    ema=ema,
    extra=extra,
  )


def next_state(
  state: interface.TrainState,
  states: dict[str, interface.NetworkState],
  *,
  ema_decay: float,
) -> interface.TrainState:
  """The state after a whole step, with the networks that it led to."""
  ema = {
    name: networks.update_ema(average, states[name].params, decay=ema_decay)
    for name, average in state.ema.items()
  }
  return state.replace(step=state.step + 1, networks=states, ema=ema)
