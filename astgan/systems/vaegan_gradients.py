"""The gradients of system `vaegan`, of all its networks together."""

import functools
from collections.abc import Callable, Mapping
from typing import NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PyTree

from astgan.arrays import Images, Latents, Logits
from astgan.losses import variational
from astgan.systems import interface, networks

Networks = Mapping[str, interface.NetworkState]


class Modules(NamedTuple):
  """Images to normal distributions, latents to images, images to logits."""

  encoder: nn.Module
  decoder: nn.Module
  discriminator: nn.Module


class _Forward(NamedTuple):
  """A forward pass of the discriminator, and its vjp in two parts.

  Attributes:
    features, logits: of the images.
    features_vjp: gradients in the features to those in (params, images).
    logits_vjp: gradients in the logits to those in (params, features).
  """

  features: Float[Array, "b h w c"]
  logits: Logits
  features_vjp: Callable
  logits_vjp: Callable


def differentiate(
  modules: Modules,
  old: Networks,
  real_images: Images,
  draws: Mapping[str, Latents],
  *,
  gamma: float,
) -> tuple[dict[str, PyTree], dict[str, PyTree], interface.Scalars]:
  """Gradients and new collections by network, and scalars, of this device.

    encoder        prior + reconstruction
    decoder        gamma reconstruction - GAN
    discriminator  GAN

  where GAN is the discriminator's cross-entropy of real images and of generated
  ones, which are reconstructions and samples, half each: not as in the authors'
  algorithm, which counts these twice and so expects a real image at odds of 1
  to 2. Their code has weights for the discriminator too (0.66 for real images,
  0.17 for each kind of others); its decoder gets the gradients of both kinds
  whole, and not half, as here.

  All come from one forward pass. In the backward pass, the gradient in the
  pixels that the discriminator's own passes by is, negated, the decoder's.

  References: Larsen et al., Autoencoding beyond Pixels Using a Learned
    Similarity Metric, 2016, algorithm 1.
  """
  params = {name: network.params for name, network in old.items()}
  moved = {name: network.collections for name, network in old.items()}

  def encode(params: PyTree) -> tuple[tuple[Latents, jax.Array], PyTree]:
    (means, log_variances), moved_encoder = networks.apply(
      modules.encoder, params, moved["encoder"], real_images
    )
    prior = variational.gaussian_prior(means, log_variances)
    latents = means + jnp.exp(log_variances / 2) * draws["noise"]
    return (latents, jnp.mean(prior)), moved_encoder

  (latents, prior_loss), encoder_vjp, moved["encoder"] = jax.vjp(
    encode, params["encoder"], has_aux=True
  )
  decode = functools.partial(_apply, modules.decoder, params["decoder"])
  # Separate batches, as batch normalisation sees them.
  reconstructions, reconstructions_vjp, moved["decoder"] = decode(
    moved["decoder"], latents
  )
  samples, samples_vjp, moved["decoder"] = decode(
    moved["decoder"], draws["latents"]
  )
  passes = []
  for images in (real_images, reconstructions, samples):
    forward, moved["discriminator"] = _forward(
      modules.discriminator,
      params["discriminator"],
      moved["discriminator"],
      images,
    )
    passes.append(forward)

  # From the logits: for the discriminator, and to the pixels for the decoder.
  logits = [forward.logits for forward in passes]
  logit_gradients, scalars = jax.grad(_gan_loss, has_aux=True)(logits)
  discriminator_gradients, gan_pixels = zip(
    *map(_backward, passes, logit_gradients), strict=True
  )
  # From the features: to the pixels for the encoder and the decoder.
  real, reconstructed, _ = passes
  reconstruction_loss, feature_gradients = jax.value_and_grad(
    _reconstruction_loss
  )(reconstructed.features, real.features)
  _, pixels = reconstructed.features_vjp(feature_gradients)

  _, latent_gradients = reconstructions_vjp(pixels)
  (encoder_gradients,) = encoder_vjp(
    (latent_gradients, jnp.ones_like(prior_loss))
  )
  decoder_gradients = (
    reconstructions_vjp(gamma * pixels - gan_pixels[1])[0],
    samples_vjp(-gan_pixels[2])[0],
  )
  gradients = {
    "encoder": encoder_gradients,
    "decoder": _sum(decoder_gradients),
    "discriminator": _sum(discriminator_gradients),
  }
  scalars |= {
    "encoder/prior_loss": prior_loss,
    "encoder/reconstruction_loss": reconstruction_loss,
  }
  return gradients, moved, scalars


def _apply(module, params, collections, inputs):
  """Outputs, gradients in them to those in (params, inputs), collections."""
  return jax.vjp(
    lambda params, inputs: networks.apply(module, params, collections, inputs),
    params,
    inputs,
    has_aux=True,
  )


def _forward(module, params, collections, images):
  """The forward pass of a batch, and the collections afterwards."""
  trunk, head = (module.clone(part=part) for part in ("features", "logits"))
  features, features_vjp, moved = _apply(trunk, params, collections, images)
  logits, logits_vjp, moved = _apply(head, params, moved, features)
  return _Forward(features, logits, features_vjp, logits_vjp), moved


def _backward(forward, logit_gradients):
  """Gradients in the discriminator's parameters and in the images."""
  of_head, feature_gradients = forward.logits_vjp(logit_gradients)
  of_trunk, pixels = forward.features_vjp(feature_gradients)
  return _sum((of_head, of_trunk)), pixels


def _gan_loss(logits):
  """The discriminator's cross-entropy, and scalars of it."""
  real, *fakes = logits
  # -log D(x), and -log(1 - D(x)) of both kinds of fakes.
  real_loss = jnp.mean(jax.nn.softplus(-real))
  fakes = jnp.stack(fakes)
  fake_loss = jnp.mean(jax.nn.softplus(fakes))
  loss = real_loss + fake_loss
  scalars = {
    "discriminator/loss": loss,
    "discriminator/real_loss": real_loss,
    "discriminator/fake_loss": fake_loss,
    "discriminator/real_accuracy": jnp.mean(real > 0, dtype=jnp.float32),
    "discriminator/fake_accuracy": jnp.mean(fakes < 0, dtype=jnp.float32),
    "discriminator/real_logit": jnp.mean(real),
    "discriminator/fake_logit": jnp.mean(fakes),
  }
  return loss, scalars


def _reconstruction_loss(features, real_features):
  losses = variational.gaussian_reconstruction(features, real_features)
  return jnp.mean(losses)


def _sum(trees):
  return jax.tree.map(lambda *leaves: sum(leaves), *trees)
