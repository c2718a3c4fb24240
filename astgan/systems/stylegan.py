"""System `stylegan`: networks that grow, and StyleGAN's generator or ProGAN's.

Losses, penalties and their turns are those of system `gan`.

References: Karras, Laine and Aila, A Style-Based Generator Architecture for
  Generative Adversarial Networks, 2019; Karras, Aila, Laine and Lehtinen,
  Progressive Growing of GANs for Improved Quality, Stability, and Variation,
  2018.
"""

import dataclasses
import functools
from collections.abc import Mapping

import jax
import jax.numpy as jnp
import ml_collections
from jaxtyping import Array, Float, PyTree

from astgan import checks
from astgan.arrays import Images
from astgan.models import growing, stylegan
from astgan.systems import (
  devices,
  gan_losses,
  gan_turns,
  gan_update,
  generators,
  growth,
  interface,
  logits,
  networks,
  states,
  stylegan_sheets,
)


@dataclasses.dataclass(frozen=True, eq=False)
class StyleGAN:
  """A generator and a discriminator that grow as the config describes them.

  Attributes:
    config: a training config with the sections of configs/stylegan.py.

  Raises:
    UserError: a field that cannot be.
  """

  config: ml_collections.ConfigDict
  sources = ("paintings",)
  fewest_examples = 2
  margin_scale = property(gan_losses.margin_scale)

  def __post_init__(self) -> None:
    config = self.config
    checks.fields(
      config,
      "model",
      *("name", "width", "latent_dim", "style_mixing", "truncation", "dtype"),
    )
    checks.one_of(config, "model.name", ("stylegan", "progan"))
    checks.within(config, "model.width", 1, 4096)
    checks.within(config, "model.latent_dim", 2, 65_536)
    checks.within(config, "model.style_mixing", 0, 1)
    checks.within(config, "model.truncation", 0)
    checks.one_of(config, "model.dtype", ("float32", "bfloat16"))
    gan_losses.check(config)
    gan_turns.check(config)
    for name in networks.Pair._fields:
      networks.check_optimizer(config, name)
    growth.check(config)
    gan_losses.check_bounded(config.loss)

  @property
  def phases(self) -> tuple[interface.Phase, ...]:
    """One for each size."""
    return growth.phases(self.config)

  def init(self, key: jax.Array) -> interface.TrainState:
    """Both networks at their final size; the moving average is a copy."""
    config = self.config
    modules = self._modules(config.data.size)
    *keys, run_key = jax.random.split(key, 3)
    shapes = (2, config.model.latent_dim), (2, *[config.data.size] * 2, 3)
    created = {
      name: networks.create(
        module,
        key,
        jnp.ones(shape),
        networks.make_optimizer(config[name]),
      )
      for (name, module), key, shape in zip(
        modules._asdict().items(), keys, shapes, strict=True
      )
    }
    return states.first_state(
      run_key, created, averaged=("generator",), train=config.train
    )

  def load_frozen(self) -> None:
    """Nothing."""

  def turns(self, step: int, phase: interface.Phase) -> tuple[str, ...]:
    """One, "both", or "both+penalty" where one is due."""
    return gan_turns.names(self.config.loss, step, k=phase.batches_per_step)

  def draw(
    self, key: jax.Array, count: int, *, phase: interface.Phase
  ) -> dict[str, PyTree]:
    """What system `gan` draws; second latents, crossovers and noise."""
    model = self.config.model
    key, style_key = jax.random.split(key)
    draws = gan_turns.draw(self.config, key, count, size=phase.size)
    if model.name == "stylegan":
      more = stylegan.draw(
        style_key,
        count,
        size=phase.size,
        latent_dim=model.latent_dim,
        mixing=model.style_mixing,
      )
      draws["latents"] = {"latents": draws["latents"], **more}
    return draws

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
    """One step; see `interface.System`."""
    del frozen
    level = growth.level_at(self.config, phase, state.step)
    state, scalars = gan_update.update(
      self.config,
      self._modules(phase.size),
      growth.begin(self.config, phase, state),
      growth.blend(batch["paintings"], phase, level),
      draws,
      phases=self.phases,
      turn=turn,
      mean=functools.partial(devices.mean_over, axis_name),
    )
    return state, scalars | {"growth/level": level}

  def samples(
    self, state: interface.TrainState, frozen: None, batch: Mapping[str, Images]
  ) -> dict[str, Float[Array, "_ _ _ c"]]:
    """Images of the same latents each time; styles mixed, truncated; noise."""
    del frozen
    sampler = self.sampler(state)
    count = len(batch["paintings"])
    sheets = {"samples": states.fixed_samples(state, sampler, count)}
    if self.config.model.name == "stylegan":
      sheets |= stylegan_sheets.draw(sampler)
    return sheets

  def histograms(
    self,
    state: interface.TrainState,
    frozen: None,
    sheets: Mapping[str, Float[Array, "_ _ _ c"]],
    batch: Mapping[str, Images],
  ) -> dict[str, jax.Array]:
    """Logits of real images and of samples, at the side of the last update."""
    del frozen
    size = growth.side_after(self.config, int(state.step))
    return logits.of_samples(
      *(self._modules(size).discriminator, state, sheets, batch),
      see=lambda images: {"discriminator": growth.reduce(images, size)},
    )

  def sampler(self, state: interface.TrainState) -> generators.Generator:
    """The generator, its moving average where one is kept.

    Its images have `data.size` pixels a side from the start: those of smaller
    sides are enlarged, so that metrics and paintings need not know of growth.
    """
    module = self._modules(self.config.data.size).generator
    latent_dim = self.config.model.latent_dim
    return states.generator(state, "generator", module, latent_dim)

  def _modules(self, size: int) -> networks.Pair:
    """The networks as far as that size."""
    model = self.config.model
    has_styles = model.name == "stylegan"
    shared = {"width": model.width, "dtype": jnp.dtype(model.dtype)}
    return networks.Pair(
      stylegan.Generator(
        size, has_styles=has_styles, truncation=model.truncation, **shared
      ),
      growing.Discriminator(size, blurs=has_styles, **shared),
    )
