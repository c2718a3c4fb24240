"""System `cyclegan`: photographs to paintings and back, without pairs.

The generator of a domain draws its images from images of the other. Both are
judged by discriminators of patches, an image that went there and back has to
come out as it was, and one that is of the domain already has to stay.

References: Zhu, Park, Isola and Efros, Unpaired Image-to-Image Translation
  using Cycle-Consistent Adversarial Networks, 2017.
"""

import dataclasses
from collections.abc import Mapping

import jax
import jax.numpy as jnp
import ml_collections
from jax import Array
from jaxtyping import Float, PyTree

from astgan import checks, errors
from astgan.arrays import Images
from astgan.models import patchgan, translator
from astgan.systems import (
  cyclegan_sheets,
  cyclegan_update,
  gan_losses,
  image_pool,
  interface,
  networks,
  states,
  translated,
)
from astgan.systems.cyclegan_update import DOMAINS


@dataclasses.dataclass(frozen=True, eq=False)
class CycleGAN:
  """Two generators and two discriminators as the config describes them.

  Attributes:
    config: a training config with the sections of configs/cyclegan.py.

  Raises:
    UserError: a field that cannot be.
  """

  config: ml_collections.ConfigDict
  sources = ("paintings", "photographs")
  # Instance normalisation treats every image by itself.
  fewest_examples = 1
  margin_scale = gan_losses.LOSSES["least_squares"].margin_scale

  def __post_init__(self) -> None:
    config = self.config
    names = ("width", "blocks", "upsample", "noise", "dtype")
    checks.fields(config, "model", *names)
    checks.within(config, "data.size", 32, 1024)
    if config.data.size % 8:
      raise errors.UserError(
        f"config.data.size={config.data.size} is no multiple of 8"
      )
    checks.filled(config, "data.photographs")
    checks.within(config, "model.width", 1, 4096)
    checks.within(config, "model.blocks", 1, 64)
    checks.one_of(config, "model.upsample", translator.UPSAMPLE)
    checks.within(config, "model.noise", 0, 1)
    checks.one_of(config, "model.dtype", ("float32", "bfloat16"))
    weights = [f"{domain}_cycle_weight" for domain in DOMAINS]
    weights += ["identity_weight"]
    checks.fields(config, "loss", "pool_size", *weights)
    for name in weights:
      checks.within(config, f"loss.{name}", 0)
    checks.within(config, "loss.pool_size", 0, 10_000)
    for name in networks.Pair._fields:
      networks.check_optimizer(config, name)

  @property
  def phases(self) -> tuple[interface.Phase, ...]:
    """One."""
    config = self.config
    return (interface.Phase(0, config.data.size, config.train.batch_size),)

  def init(self, key: jax.Array) -> interface.TrainState:
    """All networks, their moving averages as copies, and empty pools."""
    config = self.config
    key, run_key = jax.random.split(key)
    example = jnp.zeros((1, config.data.size, config.data.size, 3))
    created, pools = {}, None
    for kind, module in self._modules()._asdict().items():
      optimizer = networks.make_optimizer(config[kind])
      for domain in DOMAINS:
        key, network_key = jax.random.split(key)
        created[f"{domain}_{kind}"] = networks.create(
          module, network_key, example, optimizer
        )
    if config.loss.pool_size:
      sizes = (config.loss.pool_size, config.data.size)
      pools = {domain: image_pool.empty(*sizes) for domain in DOMAINS}
    return states.first_state(
      run_key,
      created,
      averaged=[f"{domain}_generator" for domain in DOMAINS],
      train=config.train,
      extra=pools,
    )

  def load_frozen(self) -> None:
    """Nothing."""

  def turns(self, step: int, phase: interface.Phase) -> tuple[str, ...]:
    """One, in which all networks learn."""
    del step, phase
    return ("all",)

  def draw(
    self, key: jax.Array, count: int, *, phase: interface.Phase
  ) -> dict[str, PyTree]:
    """What the pools give back, and the noise on photographs."""
    size, deviation = phase.size, self.config.model.noise
    pool_size, draws = self.config.loss.pool_size, {}
    if pool_size:
      for domain, own in zip(DOMAINS, jax.random.split(key), strict=True):
        draws[domain] = image_pool.draw(own, count, pool_size=pool_size)
    if deviation:
      own = jax.random.fold_in(key, len(DOMAINS))
      noise = jax.random.normal(own, (count, size, size, 3))
      draws["noise"] = deviation * noise
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
    del frozen, phase, turn
    return cyclegan_update.update(
      self.config,
      self._modules(),
      state,
      _by_domain(batch),
      draws,
      axis_name=axis_name,
    )

  def samples(
    self,
    state: interface.TrainState,
    frozen: None,
    batch: Mapping[str, Images],
  ) -> dict[str, Float[Array, "b height width c"]]:
    """Image, its translation, and that back, [b h 3w c]: for both domains."""
    del frozen
    return cyclegan_sheets.draw(self.sampler(state), batch)

  def histograms(
    self,
    state: interface.TrainState,
    frozen: None,
    sheets: Mapping[str, Float[Array, "b height width c"]],
    batch: Mapping[str, Images],
  ) -> dict[str, Array]:
    """Logits of the patches of real images and of translations."""
    del frozen
    return cyclegan_sheets.histograms(
      self._modules().discriminator, state.networks, sheets, batch
    )

  def sampler(self, state: interface.TrainState) -> translated.Painter:
    """Both generators, their moving averages where they are kept."""
    params = {
      domain: state.ema.get(name := f"{domain}_generator")
      or state.networks[name].params
      for domain in DOMAINS
    }
    noise = {DOMAINS[0]: self.config.model.noise}
    return translated.Painter(self._modules().generator, params, noise)

  def _modules(self) -> networks.Pair:
    model = self.config.model
    dtype = jnp.dtype(model.dtype)
    return networks.Pair(
      translator.Translator(model.width, model.blocks, model.upsample, dtype),
      patchgan.Discriminator(model.width, dtype),
    )


def _by_domain(batch: Mapping[str, Images]) -> dict[str, Images]:
  return {domain: batch[f"{domain}s"] for domain in DOMAINS}
