"""System `vaegan`: an autoencoder that a discriminator's features judge.

The encoder learns normal distributions of latents, near the prior N(0, I) and
such that the decoder's image of a latent resembles the original: in features of
the discriminator rather than in pixels. The decoder learns this too, and to
pass for real with reconstructions and with images of latents z ~ N(0, I), which
are what the system is sampled with.

References: Larsen, Sonderby, Larochelle and Winther, Autoencoding beyond Pixels
  Using a Learned Similarity Metric, 2016.
"""

import dataclasses
import functools
from collections.abc import Mapping

import jax
import jax.numpy as jnp
import ml_collections
from jaxtyping import Array, Float

from astgan import checks
from astgan.arrays import Images, Latents
from astgan.models import vaegan
from astgan.systems import (
  devices,
  generators,
  interface,
  logits,
  networks,
  states,
  vaegan_gradients,
  vaegan_sheets,
  vaegan_update,
)


@dataclasses.dataclass(frozen=True, eq=False)
class VAEGAN:
  """Encoder, decoder and discriminator as the config describes them.

  Attributes:
    config: a training config with the sections of configs/vaegan.py.

  Raises:
    UserError: a field that cannot be.
  """

  config: ml_collections.ConfigDict
  sources = ("paintings",)
  fewest_examples = 2

  def __post_init__(self) -> None:
    config = self.config
    checks.fields(
      config,
      "model",
      *("width", "latent_dim", "encoder_units", "batch_norm", "dtype"),
    )
    checks.one_of(config, "data.size", (32, 64, 128))
    checks.within(config, "model.width", 2, 4096)
    checks.within(config, "model.latent_dim", 1, 65_536)
    checks.within(config, "model.encoder_units", 1, 65_536)
    checks.one_of(config, "model.batch_norm", ("synchronised", "per_device"))
    checks.one_of(config, "model.dtype", ("float32", "bfloat16"))
    checks.fields(
      config, "loss", "reconstruction_weight", "equilibrium", "margin"
    )
    for name in ("reconstruction_weight", "equilibrium", "margin"):
      checks.within(config, f"loss.{name}", 0)
    for name in vaegan_gradients.Modules._fields:
      networks.check_optimizer(config, name)

  @property
  def phases(self) -> tuple[interface.Phase, ...]:
    """One."""
    config = self.config
    return (interface.Phase(0, config.data.size, config.train.batch_size),)

  def init(self, key: jax.Array) -> interface.TrainState:
    """All networks; the moving average starts as a copy of the decoder."""
    config, modules = self.config, self._modules()
    keys = jax.random.split(key, 4)
    images = jnp.zeros((2, config.data.size, config.data.size, 3))
    examples = (images, jnp.zeros((2, config.model.latent_dim)), images)
    created = {
      name: networks.create(
        module, key, example, networks.make_optimizer(config[name])
      )
      for (name, module), key, example in zip(
        modules._asdict().items(), keys[:3], examples, strict=True
      )
    }
    return states.first_state(
      keys[3], created, averaged=("decoder",), train=config.train
    )

  def load_frozen(self) -> None:
    """Nothing."""

  def turns(self, step: int, phase: interface.Phase) -> tuple[str, ...]:
    """One, in which all networks learn."""
    del step, phase
    return ("all",)

  def draw(
    self, key: jax.Array, count: int, *, phase: interface.Phase
  ) -> dict[str, Latents]:
    """Latents of samples, and the noise of the encoder's distributions."""
    del phase
    shape = (count, self.config.model.latent_dim)
    latent_key, noise_key = jax.random.split(key)
    return {
      "latents": jax.random.normal(latent_key, shape),
      "noise": jax.random.normal(noise_key, shape),
    }

  def update(
    self,
    state: interface.TrainState,
    batch: Mapping[str, Images],
    draws: Mapping[str, Latents],
    frozen: None,
    *,
    phase: interface.Phase,
    turn: str,
    axis_name: str | None,
  ) -> tuple[interface.TrainState, interface.Scalars]:
    """One step; see `interface.System`."""
    del frozen, phase, turn
    return vaegan_update.update(
      self.config,
      self._modules(axis_name=axis_name),
      state,
      batch["paintings"],
      draws,
      mean=functools.partial(devices.mean_over, axis_name),
    )

  def samples(
    self,
    state: interface.TrainState,
    frozen: None,
    batch: Mapping[str, Images],
  ) -> dict[str, Float[Array, "_ _ _ c"]]:
    """Samples of the same latents each time; reconstructions; attributes.

    The last two are of 128 images at most, which are normalised as one batch:
    it needs two, and a single image has samples alone.
    """
    del frozen
    count, sampler = len(batch["paintings"]), self.sampler(state)
    samples = {"samples": states.fixed_samples(state, sampler, count)}
    if count < 2:
      return samples
    real_images = batch["paintings"][: vaegan_sheets.SHOWN]
    means, _ = vaegan_sheets.encode(
      self._modules().encoder, state.networks["encoder"].variables, real_images
    )
    decoder = vaegan_sheets.with_statistics_of(sampler, means)
    return samples | {
      "reconstructions": vaegan_sheets.reconstructions(
        decoder, real_images, means
      ),
      "attributes": vaegan_sheets.attributes(decoder, real_images, means),
    }

  def histograms(
    self,
    state: interface.TrainState,
    frozen: None,
    sheets: Mapping[str, Float[Array, "_ _ _ c"]],
    batch: Mapping[str, Images],
  ) -> dict[str, jax.Array]:
    """Logits of the real images and of as many samples."""
    del frozen
    module = self._modules().discriminator
    return logits.of_samples(module, state, sheets, batch)

  def sampler(self, state: interface.TrainState) -> generators.Generator:
    """The decoder, its moving average where one is kept."""
    latent_dim = self.config.model.latent_dim
    return states.generator(
      state, "decoder", self._modules().decoder, latent_dim
    )

  def _modules(
    self, *, axis_name: str | None = None
  ) -> vaegan_gradients.Modules:
    """The networks; `axis_name` is the mapped axis of the devices."""
    model = self.config.model
    shared = networks.module_options(self.config, axis_name=axis_name)
    shared["width"] = model.width
    return vaegan_gradients.Modules(
      vaegan.Encoder(
        latent_dim=model.latent_dim, units=model.encoder_units, **shared
      ),
      vaegan.Decoder(**shared),
      vaegan.Discriminator(**shared),
    )
