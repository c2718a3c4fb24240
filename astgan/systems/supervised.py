"""Systems whose networks minimise one loss."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import ClassVar

import flax.linen as nn
import jax
import ml_collections
from jaxtyping import PyTree

from astgan import checks, errors
from astgan.arrays import Images
from astgan.systems import devices, interface, networks, states


@dataclasses.dataclass(frozen=True, eq=False)
class Supervised:
  """What such systems share; a system adds the methods that raise here.

  Attributes:
    config: a training config with the sections of the system's page.
    section: of the config, the optimiser of all networks.
    averaged: the networks with a moving average; None is all.
    multiple: sides of images are multiples of it.

  Raises:
    UserError: a field that cannot be.
  """

  config: ml_collections.ConfigDict
  sources = ("paintings", "photographs")
  fewest_examples = 1
  section = "decoder"
  averaged: ClassVar[tuple[str, ...] | None] = None
  multiple = 8

  def __post_init__(self) -> None:
    config = self.config
    checks.within(config, "data.size", 32, 1024)
    if config.data.size % self.multiple:
      raise errors.UserError(
        f"config.data.size={config.data.size} is no multiple of {self.multiple}"
      )
    for name in self.sources[1:]:
      checks.filled(config, f"data.{name}")
    checks.filled(config, "features.weights")
    checks.within(config, "model.width", 1, 4096)
    checks.one_of(config, "model.dtype", ("float32", "bfloat16"))
    networks.check_optimizer(config, self.section)

  def modules(self) -> dict[str, nn.Module]:
    """The trained networks by name."""
    raise NotImplementedError

  def examples(self) -> dict[str, PyTree]:
    """Inputs of the networks, of the right shapes, by name."""
    raise NotImplementedError

  def section_of(self, name: str) -> str:
    """The section of a network's optimiser: `section` for all of them."""
    del name
    return self.section

  def loss(
    self,
    params: dict[str, PyTree],
    batch: Mapping[str, Images],
    draws: PyTree,
    frozen: PyTree,
  ) -> tuple[jax.Array, interface.Scalars]:
    """What the networks minimise, a mean over the examples, and scalars."""
    raise NotImplementedError

  def loss_over(
    self, axis_name: str | None
  ) -> Callable[..., tuple[jax.Array, interface.Scalars]]:
    """`loss` on a device of an axis, whose others it heeds if it must."""
    del axis_name
    return self.loss

  @property
  def phases(self) -> tuple[interface.Phase, ...]:
    """One."""
    config = self.config
    return (interface.Phase(0, config.data.size, config.train.batch_size),)

  def init(self, key: jax.Array) -> interface.TrainState:
    """The networks, and their moving averages as copies."""
    modules, examples = self.modules(), self.examples()
    run_key, *keys = jax.random.split(key, len(modules) + 1)
    created = {
      name: networks.create(
        module,
        one,
        examples[name],
        networks.make_optimizer(self.config[self.section_of(name)]),
      )
      for (name, module), one in zip(modules.items(), keys, strict=True)
    }
    return states.first_state(
      run_key,
      created,
      averaged=tuple(modules) if self.averaged is None else self.averaged,
      train=self.config.train,
    )

  def turns(self, step: int, phase: interface.Phase) -> tuple[str, ...]:
    """One, in which all networks learn."""
    del step, phase
    return ("all",)

  def draw(
    self, key: jax.Array, count: int, *, phase: interface.Phase
  ) -> PyTree:
    """Nothing: there is no chance in the update."""
    del key, count, phase
    return {}

  def update(
    self,
    state: interface.TrainState,
    batch: Mapping[str, Images],
    draws: PyTree,
    frozen: PyTree,
    *,
    phase: interface.Phase,
    turn: str,
    axis_name: str | None,
  ) -> tuple[interface.TrainState, interface.Scalars]:
    """One step; see `interface.System`."""
    del phase, turn
    params = {name: net.params for name, net in state.networks.items()}
    loss = self.loss_over(axis_name)
    gradients, scalars = devices.mean_over(
      axis_name, jax.grad(loss, has_aux=True)(params, batch, draws, frozen)
    )
    new = {}
    for name, gradient in gradients.items():
      scalars[f"{name}/gradient_norm"] = networks.global_norm(gradient)
      section = self.config[self.section_of(name)]
      new[name] = networks.apply_gradients(
        state.networks[name], gradient, {}, section, state
      )
    return states.next_state(state, new, train=self.config.train), scalars

  def params(self, state: interface.TrainState) -> dict[str, PyTree]:
    """What the networks are used with: moving averages where they are kept."""
    return {
      name: state.ema.get(name) or network.params
      for name, network in state.networks.items()
    }
