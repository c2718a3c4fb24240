"""System `gan`: a generator against a discriminator, by any of the usual rules.

One step is k turns. In each the discriminator learns from a batch of real and
a batch of generated images; in the last the generator learns as well, on the
same generated images and against the discriminator just updated.

References: Goodfellow et al., Generative Adversarial Nets, 2014, algorithm 1.
"""

import dataclasses
import functools
from collections.abc import Mapping

import jax
import jax.numpy as jnp
import ml_collections
from jaxtyping import PyTree

from astgan import checks
from astgan.arrays import Images
from astgan.systems import (
  devices,
  gan_losses,
  gan_networks,
  gan_turns,
  gan_update,
  generators,
  interface,
  logits,
  networks,
  states,
)


@dataclasses.dataclass(frozen=True, eq=False)
class GAN:
  """A generator and a discriminator as the config describes them.

  Attributes:
    config: a training config with the sections of configs/gan.py.

  Raises:
    UserError: a field that cannot be.
  """

  config: ml_collections.ConfigDict
  sources = ("paintings",)
  fewest_examples = 2
  margin_scale = property(gan_losses.margin_scale)

  def __post_init__(self) -> None:
    config = self.config
    gan_networks.check(config)
    gan_losses.check(config)
    gan_networks.check_losses(config)
    networks.check_optimizer(config, "generator")
    networks.check_optimizer(
      config, "discriminator", "updates", "start_updates", "start_steps"
    )
    for name in ("updates", "start_updates"):
      checks.within(config, f"discriminator.{name}", 1, 10_000)
    checks.within(config, "discriminator.start_steps", 0)
    gan_turns.check(config)

  @property
  def phases(self) -> tuple[interface.Phase, ...]:
    """One, or two where the discriminator gets a head start."""
    k = self.config.discriminator
    sizes = (self.config.data.size, self.config.train.batch_size)
    phases = [interface.Phase(k.start_steps, *sizes, k.updates)]
    if k.start_steps:
      phases.insert(0, interface.Phase(0, *sizes, k.start_updates))
    return tuple(phases)

  def init(self, key: jax.Array) -> interface.TrainState:
    """Both networks; the moving average starts as a copy of the generator."""
    config, modules = self.config, gan_networks.build(self.config)
    generator_key, discriminator_key, run_key = jax.random.split(key, 3)
    generator = networks.create(
      modules.generator,
      generator_key,
      jnp.zeros((2, config.model.latent_dim)),
      networks.make_optimizer(config.generator),
    )
    discriminator = networks.create(
      modules.discriminator,
      discriminator_key,
      jnp.zeros((2, config.data.size, config.data.size, 3)),
      networks.make_optimizer(config.discriminator),
    )
    return states.first_state(
      run_key,
      {"generator": generator, "discriminator": discriminator},
      averaged=("generator",),
      train=config.train,
    )

  def load_frozen(self) -> None:
    """Nothing."""

  def turns(self, step: int, phase: interface.Phase) -> tuple[str, ...]:
    """k - 1 of "discriminator", then "both"; "+penalty" where one is due."""
    return gan_turns.names(self.config.loss, step, k=phase.batches_per_step)

  def draw(
    self, key: jax.Array, count: int, *, phase: interface.Phase
  ) -> dict[str, PyTree]:
    """Latents, and what the penalty, noisy labels and DiffAugment need."""
    return gan_turns.draw(self.config, key, count, size=phase.size)

  def update(
    self,
    state: interface.TrainState,
    batch: Mapping[str, Images],
    draws: Mapping[str, PyTree],
    frozen: None,
    *,
    phase: interface.Phase,
    turn: str,
    axis_name: str | None,
  ) -> tuple[interface.TrainState, interface.Scalars]:
    """One turn; see `interface.System`."""
    del frozen, phase
    modules = gan_networks.build(self.config, axis_name=axis_name)
    return gan_update.update(
      self.config,
      modules,
      state,
      batch["paintings"],
      draws,
      phases=self.phases,
      turn=turn,
      mean=functools.partial(devices.mean_over, axis_name),
    )

  def samples(
    self, state: interface.TrainState, frozen: None, batch: Mapping[str, Images]
  ) -> dict[str, Images]:
    """What the generator draws from the same latents each time."""
    del frozen
    count = len(batch["paintings"])
    return {"samples": states.fixed_samples(state, self.sampler(state), count)}

  def histograms(
    self,
    state: interface.TrainState,
    frozen: None,
    sheets: Mapping[str, Images],
    batch: Mapping[str, Images],
  ) -> dict[str, jax.Array]:
    """Logits of the real images and of as many generated ones."""
    del frozen
    module = gan_networks.build(self.config).discriminator
    return logits.of_samples(module, state, sheets, batch)

  def sampler(self, state: interface.TrainState) -> generators.Generator:
    """The generator, its moving average where one is kept."""
    module = gan_networks.build(self.config).generator
    latent_dim = self.config.model.latent_dim
    return states.generator(state, "generator", module, latent_dim)
