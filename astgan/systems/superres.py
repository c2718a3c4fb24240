"""System `superres`: enlarged paintings to sharp ones.

Paintings are reduced and enlarged by cubic interpolation, and a network learns
what that has lost: by the squared error alone, as Kumar and Goel, or by
features of VGG and a discriminator of patches as well, as Ledig et al., for
details that are likely rather than right.

References: Kumar and Goel, Image Super Resolution using Autoencoders, 2020;
  Ledig et al., Photo-Realistic Single Image Super-Resolution Using a Generative
  Adversarial Network, 2017, section 2.2.
"""

import dataclasses
from collections.abc import Mapping

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float, PyTree

from astgan import arrays, checks, errors
from astgan.arrays import Images
from astgan.features import vgg, weights
from astgan.losses import adversarial, perceptual
from astgan.models import patchgan, superres
from astgan.systems import (
  decoding,
  interface,
  logits,
  networks,
  supervised,
  upscalers,
)

FACTORS = (2, 4)

_WEIGHTS = ("pixel_weight", "feature_weight", "adversarial_weight")


@dataclasses.dataclass(frozen=True, eq=False)
class SuperRes(supervised.Supervised):
  """An autoencoder as the config describes it.

  Attributes:
    config: a training config with the sections of configs/superres.py.
  """

  sources = ("paintings",)
  section = "generator"
  averaged = ("generator",)

  def __post_init__(self) -> None:
    config = self.config
    checks.fields(config, "model", "width", "factor", "dtype")
    checks.one_of(config, "model.factor", FACTORS)
    checks.fields(config, "features", "net", "weights")
    checks.one_of(config, "features.net", tuple(vgg.BLOCKS))
    checks.fields(config, "loss", "feature_layer", *_WEIGHTS)
    super().__post_init__()
    networks.check_optimizer(config, "discriminator")
    for name in _WEIGHTS:
      checks.within(config, f"loss.{name}", 0)
    if not any(config.loss[name] for name in _WEIGHTS):
      raise errors.UserError(
        f"config.loss.{', '.join(_WEIGHTS)} are all 0; give one a weight"
      )
    try:
      vgg.check_taps(config.features.net, (config.loss.feature_layer,))
    except ValueError as error:
      raise errors.UserError(f"config.loss.feature_layer: {error}") from error

  def modules(self) -> dict[str, nn.Module]:
    """The autoencoder, and a discriminator where its loss has a weight."""
    model = self.config.model
    options = (model.width, jnp.dtype(model.dtype))
    found = {"generator": superres.Autoencoder(*options)}
    if self.config.loss.adversarial_weight:
      found["discriminator"] = patchgan.Discriminator(*options)
    return found

  def examples(self) -> dict[str, Images]:
    """Images."""
    return dict.fromkeys(self.modules(), jnp.zeros((1, 24, 24, 3)))

  def section_of(self, name: str) -> str:
    """The section of the network's own name."""
    return name

  def load_frozen(self) -> PyTree:
    """The feature network; None where its loss has no weight."""
    features = self.config.features
    if not self.config.loss.feature_weight:
      return None
    return weights.load(features.net, features.weights)

  def loss(
    self,
    params: dict[str, PyTree],
    batch: Mapping[str, Images],
    draws: PyTree,
    frozen: PyTree,
  ) -> tuple[jax.Array, interface.Scalars]:
    """The sum of what both networks minimise, neither through the other's.

    Of the autoencoder the weighted squared errors of pixels in [-1, 1] and of
    features, and -log D(G(x)); of the discriminator the cross-entropy.
    """
    del draws
    fields, real_images = self.config.loss, batch["paintings"]
    blurred = self._blur(real_images)
    sharp = self.modules()["generator"].apply(
      {"params": params["generator"]}, blurred
    )
    found = decoding.reconstruction(sharp, real_images)
    cubic = decoding.reconstruction(blurred, real_images)
    scalars = {
      "generator/psnr": found["psnr"],
      "generator/psnr_of_cubic": cubic["psnr"],
    }
    terms = {"pixel": found["pixel_loss"]}
    if fields.feature_weight:
      features = (self._features(frozen, x) for x in (sharp, real_images))
      terms["feature"] = jnp.mean(perceptual.content(*features))
    critic_loss = jnp.zeros(())
    if fields.adversarial_weight:
      terms["adversarial"], of_critic = self._adversarial_losses(
        params["discriminator"], sharp, real_images
      )
      critic_loss = of_critic["discriminator/loss"]
      scalars |= of_critic
    total = sum(fields[f"{name}_weight"] * terms[name] for name in terms)
    scalars |= {f"generator/{name}_loss": terms[name] for name in terms}
    return total + critic_loss, scalars | {"generator/loss": total}

  def samples(
    self,
    state: interface.TrainState,
    frozen: PyTree,
    batch: Mapping[str, Images],
  ) -> dict[str, Float[Array, "b height width c"]]:
    """Paintings enlarged by cubic interpolation, sharpened, and themselves."""
    del frozen
    upscaler, images = self.sampler(state), batch["paintings"]
    small = upscalers.reduce(images, upscaler.factor)
    columns = [
      upscalers.enlarge(small, upscaler.factor),
      upscaler.enlarge(small),
      images,
    ]
    return {"enlarged": jnp.concatenate(columns, axis=2)}

  def sampler(self, state: interface.TrainState) -> upscalers.Upscaler:
    """The autoencoder, its moving average where one is kept."""
    return upscalers.Upscaler(
      self.modules()["generator"],
      self.params(state)["generator"],
      self.config.model.factor,
    )

  def _adversarial_losses(self, critic, sharp, real_images):
    """What the autoencoder minimises, and scalars of the discriminator."""

    def score(params, images):
      module = self.modules()["discriminator"]
      return module.apply({"params": params}, images).reshape(-1)

    generator_loss = adversarial.nonsaturating_generator(
      score(lax.stop_gradient(critic), sharp)
    )
    both = jnp.concatenate([real_images, lax.stop_gradient(sharp)])
    real_logits, fake_logits = jnp.split(score(critic, both), 2)
    critic_loss = adversarial.logistic_discriminator(real_logits, fake_logits)
    scalars = logits.scalars("nonsaturating", real_logits, fake_logits)
    scalars["discriminator/loss"] = jnp.mean(critic_loss)
    return jnp.mean(generator_loss), scalars

  def _blur(self, images):
    factor = self.config.model.factor
    return upscalers.enlarge(upscalers.reduce(images, factor), factor)

  def _features(self, net, images):
    layer = self.config.loss.feature_layer
    unit = arrays.signed_to_unit(images)
    found = vgg.apply(net, unit, (layer,), padding="replicate")
    return found[layer]
