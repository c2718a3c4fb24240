"""System `fewshot`: a light generator for a group of a few hundred paintings.

It learns against heads on pixels and, if the config asks for it, on features
of a frozen network, all through DiffAugment. The features' channels are
standardised on the first paintings of the run, as its state keeps them.

References: Liu et al., Towards Faster and Stabilized GAN Training for
  High-fidelity Few-shot Image Synthesis, 2021; Sauer et al., Projected GANs
  Converge Faster, 2021; Zhao et al., Differentiable Augmentation for
  Data-Efficient GAN Training, 2020.
"""

import dataclasses
import functools
from collections.abc import Mapping

import jax
import jax.numpy as jnp
import ml_collections
from jaxtyping import PyTree

from astgan import checks, errors
from astgan.arrays import Images
from astgan.features import vgg
from astgan.systems import (
  devices,
  fewshot_features,
  fewshot_inputs,
  fewshot_networks,
  fewshot_update,
  gan_losses,
  gan_turns,
  generators,
  interface,
  logits,
  networks,
  states,
)

LOSSES = ("hinge", "nonsaturating", "least_squares", "relativistic")


@dataclasses.dataclass(frozen=True, eq=False)
class FewShot:
  """A generator and the heads of a discriminator as the config describes them.

  Attributes:
    config: a training config with the sections of configs/fewshot.py.

  Raises:
    UserError: a field that cannot be.
  """

  config: ml_collections.ConfigDict
  sources = ("paintings",)
  fewest_examples = 2
  margin_scale = property(gan_losses.margin_scale)

  def __post_init__(self) -> None:
    config = self.config
    fewshot_networks.check(config)
    fewshot_features.check(config)
    checks.fields(config, "loss", "name")
    checks.one_of(config, "loss.name", LOSSES)
    for name in networks.Pair._fields:
      networks.check_optimizer(config, name)
    gan_turns.check(config, "target", "images")
    checks.within(config, "diff_augment.target", 0, 1)
    checks.within(config, "diff_augment.images", 1)
    if config.loss.name == "relativistic" and config.diff_augment.target:
      raise errors.UserError(
        "config.diff_augment.target: config.loss.name=relativistic has logits"
        " without a sign to adapt to; set it to 0"
      )

  @property
  def phases(self) -> tuple[interface.Phase, ...]:
    """One."""
    config = self.config
    return (interface.Phase(0, config.data.size, config.train.batch_size),)

  def init(self, key: jax.Array) -> interface.TrainState:
    """The networks, and what is measured and adapted as they learn."""
    config, modules = self.config, fewshot_networks.build(self.config)
    generator_key, discriminator_key, run_key = jax.random.split(key, 3)
    created = {
      "generator": networks.create(
        modules.generator,
        generator_key,
        jnp.ones((2, config.model.latent_dim)),
        networks.make_optimizer(config.generator),
      )
    }
    for name, example in fewshot_inputs.examples(config).items():
      created[name] = networks.create(
        modules.discriminator,
        discriminator_key,
        example,
        networks.make_optimizer(config.discriminator),
      )
    extra = {}
    if config.features.layers:
      extra["moments"] = fewshot_features.first_moments(config)
    if config.diff_augment.policy and config.diff_augment.target:
      extra["strength"] = jnp.zeros(())
    return states.first_state(
      run_key,
      created,
      averaged=("generator",),
      train=config.train,
      extra=extra or None,
    )

  @property
  def feature_nets(self) -> tuple[str, ...]:
    """The networks whose metrics are no longer an independent measure.

    Both VGGs: they differ in their depth alone.
    """
    return tuple(vgg.BLOCKS) if self.config.features.layers else ()

  def load_frozen(self) -> fewshot_features.Frozen:
    """The network that the discriminator sees through, if any."""
    return fewshot_features.load(self.config)

  def turns(self, step: int, phase: interface.Phase) -> tuple[str, ...]:
    """One, in which all networks learn, or all but the heads on features."""
    del phase
    features = self.config.features
    is_due = not features.layers or (step + 1) % features.every == 0
    return ("both" if is_due else "pixels",)

  def draw(
    self, key: jax.Array, count: int, *, phase: interface.Phase
  ) -> dict[str, PyTree]:
    """Latents, and the augmentation of real and of generated images."""
    return fewshot_inputs.draw(self.config, key, count, size=phase.size)

  def update(
    self,
    state: interface.TrainState,
    batch: Mapping[str, Images],
    draws: Mapping[str, PyTree],
    frozen: fewshot_features.Frozen,
    *,
    phase: interface.Phase,
    turn: str,
    axis_name: str | None,
  ) -> tuple[interface.TrainState, interface.Scalars]:
    """One step; see `interface.System`."""
    del phase
    return fewshot_update.update(
      self.config,
      fewshot_networks.build(self.config, axis_name=axis_name),
      frozen,
      state,
      batch["paintings"],
      draws,
      turn=turn,
      mean=functools.partial(devices.mean_over, axis_name),
    )

  def samples(
    self,
    state: interface.TrainState,
    frozen: PyTree,
    batch: Mapping[str, Images],
  ) -> dict[str, Images]:
    """What the generator draws from the same latents each time."""
    del frozen
    count = len(batch["paintings"])
    return {"samples": states.fixed_samples(state, self.sampler(state), count)}

  def histograms(
    self,
    state: interface.TrainState,
    frozen: fewshot_features.Frozen,
    sheets: Mapping[str, Images],
    batch: Mapping[str, Images],
  ) -> dict[str, jax.Array]:
    """Logits of all heads, of the real images and of as many generated ones."""
    moments = (state.extra or {}).get("moments", {})

    def see(images: Images) -> fewshot_inputs.Inputs:
      features = fewshot_features.features(self.config, frozen, images)
      return fewshot_inputs.inputs(
        self.config, frozen, moments, images, features
      )

    module = fewshot_networks.build(self.config).discriminator
    return logits.of_samples(module, state, sheets, batch, see=see)

  def sampler(self, state: interface.TrainState) -> generators.Generator:
    """The generator, its moving average where one is kept."""
    module = fewshot_networks.build(self.config).generator
    latent_dim = self.config.model.latent_dim
    return states.generator(state, "generator", module, latent_dim)
