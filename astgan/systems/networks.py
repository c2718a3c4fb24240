"""Networks and their optimisers, as the updates of all systems use them."""

from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import ml_collections
import optax
from jaxtyping import PyTree

from astgan import checks
from astgan.systems import interface

OPTIMIZERS = ("adam", "rmsprop", "sgd")
SCHEDULES = ("constant", "linear", "step")


class Pair(NamedTuple):
  """The modules of a generator and of its discriminator."""

  generator: nn.Module
  discriminator: nn.Module


def module_options(
  config: ml_collections.ConfigDict, *, axis_name: str | None
) -> dict[str, Any]:
  """What all modules of a system with batch normalisation are made with.

  Args:
    config: the whole config.
    axis_name: of the devices, None outside a mapped update; batch statistics
      are shared over it where `model.batch_norm` says so.
  """
  if config.model.batch_norm == "per_device":
    axis_name = None
  return {
    "size": config.data.size,
    "axis_name": axis_name,
    "dtype": jnp.dtype(config.model.dtype),
  }


def create(
  module: nn.Module,
  key: jax.Array,
  example: PyTree,
  optimizer: optax.GradientTransformation,
) -> interface.NetworkState:
  """A network at its initialisation.

  Args:
    module: called with an example and `train`.
    key: of the initialisation.
    example: an input of the network's shape, an array or a tree of them.
    optimizer: of this network.
  """
  collections = dict(module.init(key, example, train=False))
  params = collections.pop("params")
  return interface.NetworkState(params, collections, optimizer.init(params))


def apply(
  module: nn.Module,
  params: PyTree,
  collections: dict[str, PyTree],
  inputs: PyTree,
) -> tuple[PyTree, dict[str, PyTree]]:
  """Output of a network in training, and its collections afterwards."""
  output, moved = module.apply(
    {"params": params, **collections},
    inputs,
    train=True,
    mutable=list(collections),
  )
  return output, {**collections, **moved}


def apply_gradients(
  network: interface.NetworkState,
  gradients: PyTree,
  collections: dict[str, PyTree],
  section: ml_collections.ConfigDict,
  state: interface.TrainState,
) -> interface.NetworkState:
  """The network after one step of its optimiser.

  Args:
    network: before the step.
    gradients: of its parameters.
    collections: that it has afterwards.
    section: of the config, with the optimiser and its schedule.
    state: before the step: its number and the scale of learning rates.
  """
  optimizer = make_optimizer(section)
  gradients = _without(gradients, section.frozen)
  # optax raises floats to integers, which strict promotion would refuse.
  with jax.numpy_dtype_promotion("standard"):
    updates, opt_state = optimizer.update(
      gradients, network.opt_state, network.params
    )
  factor = learning_rate_factor(section, state.step)
  scale = state.learning_rate_scale
  scale = scale if factor is None else factor * scale
  updates = jax.tree.map(lambda update: scale * update, updates)
  params = optax.apply_updates(network.params, updates)
  return interface.NetworkState(params, collections, opt_state)


def _without(
  gradients: dict[str, PyTree], frozen: tuple[str, ...]
) -> dict[str, PyTree]:
  """The gradients, zero in the layers that are frozen, which then stay."""
  return {
    name: jax.tree.map(jnp.zeros_like, layer) if name in frozen else layer
    for name, layer in gradients.items()
  }


def update_ema(
  ema: PyTree, params: PyTree, *, decay: float | jax.Array
) -> PyTree:
  """decay * ema + (1 - decay) * params."""
  return jax.tree.map(lambda e, x: decay * e + (1 - decay) * x, ema, params)


def global_norm(gradients: PyTree) -> jax.Array:
  """The Euclidean norm of all leaves together."""
  leaves = jax.tree.leaves(gradients)
  return jnp.sqrt(sum(jnp.sum(leaf**2) for leaf in leaves))


def make_optimizer(
  section: ml_collections.ConfigDict,
) -> optax.GradientTransformation:
  """The optimiser that a section such as `generator` describes.

  References: Kingma and Ba, Adam, 2015; Tieleman and Hinton, Lecture 6.5,
    RMSProp, 2012; Sutskever et al., On the Importance of Initialization and
    Momentum in Deep Learning, 2013.
  """
  rate, beta1, beta2 = section.learning_rate, section.beta1, section.beta2
  if section.optimizer == "adam":
    return optax.adam(rate, b1=beta1, b2=beta2, eps=1e-8)
  if section.optimizer == "rmsprop":
    # As the authors' libraries; within the root, gradients below 1e-4 are slow.
    return optax.rmsprop(rate, decay=beta2, eps=1e-8, eps_in_sqrt=False)
  return optax.sgd(rate, momentum=beta1 or None)


def learning_rate_factor(
  section: ml_collections.ConfigDict, step: jax.Array
) -> jax.Array | None:
  """What the schedule multiplies the learning rate by; None is always 1.

  Counted in completed generator updates, whatever the number of discriminator
  updates. "linear" goes from 1 at `decay_start` to `decay_factor` in
  `decay_steps` steps; "step" multiplies by `decay_factor` at `decay_start` and
  every `decay_steps` steps after it.
  """
  if section.schedule == "constant":
    return None
  passed = (step - section.decay_start).astype(jnp.float32)
  if section.schedule == "linear":
    share = jnp.clip(passed / section.decay_steps, 0, 1)
    return 1 - share * (1 - section.decay_factor)
  decays = jnp.maximum(0, jnp.floor(passed / section.decay_steps) + 1)
  return jnp.float32(section.decay_factor) ** decays


def check_optimizer(
  config: ml_collections.ConfigDict, name: str, *others: str
) -> None:
  """Raises UserError naming the first field of the section that cannot be.

  Args:
    config: the whole config.
    name: of the section.
    others: fields that it has beside those of an optimiser.
  """
  checks.fields(
    config,
    name,
    *("optimizer", "learning_rate", "beta1", "beta2", "frozen"),
    *("schedule", "decay_start", "decay_steps", "decay_factor", *others),
  )
  checks.one_of(config, f"{name}.optimizer", OPTIMIZERS)
  checks.one_of(config, f"{name}.schedule", SCHEDULES)
  checks.within(config, f"{name}.learning_rate", 0, open_low=True)
  for field in ("beta1", "beta2"):
    checks.within(config, f"{name}.{field}", 0, 1, open_high=True)
  checks.within(config, f"{name}.decay_start", 0)
  checks.within(config, f"{name}.decay_steps", 1)
  checks.within(config, f"{name}.decay_factor", 0, 1)
