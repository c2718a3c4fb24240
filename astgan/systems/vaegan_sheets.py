"""What system `vaegan` shows beside its samples."""

import functools

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PyTree

from astgan.arrays import Images, Latents
from astgan.systems import generators

# Images that are reconstructed, at most, and those on the sheet of attributes.
SHOWN = 128
_ROWS = 16


@functools.partial(jax.jit, static_argnums=0)
def encode(
  module: nn.Module, variables: PyTree, images: Images
) -> tuple[Latents, Latents]:
  """Means and log variances of the latents of images in [-1, 1]."""
  return module.apply(variables, images, train=False)


def with_statistics_of(
  generator: generators.Generator, latents: Latents
) -> generators.Generator:
  """The generator with the batch statistics of these latents.

  In training, reconstructions are normalised as a batch of their own. Means of
  the encoder's distributions are shorter than latents of the prior, by whose
  statistics their images would be pale.
  """
  module, variables, _ = generator
  found = generators.batch_statistics(
    module, variables, latents, batch_size=len(latents)
  )
  return generator._replace(variables=variables | {"batch_stats": found})


def reconstructions(
  generator: generators.Generator, real_images: Images, latents: Latents
) -> Float[Array, "b h2 w c"]:
  """Each image above its reconstruction, [b 2h w c]."""
  return jnp.concatenate([real_images, generator.apply(latents)], axis=1)


def attributes(
  generator: generators.Generator, real_images: Images, latents: Latents
) -> Float[Array, "n h w6 c"]:
  """Sums of latents and attribute vectors, [n h 6w c], for up to 16 images.

  From left to right: the image, its reconstruction, and the images of its
  latent plus and minus the vectors of warmth and of brightness: warmer, colder,
  brighter, darker. An attribute's vector is the mean latent of images that have
  it minus that of images that do not.

  Paintings have no labels. "Warm" are the half of these images with the
  most red minus blue, "bright" the half with the most light, on average over
  the image. That is measured from few images and says nothing about what
  they depict; and where the warm images are bright ones too, the two vectors
  are alike.

  References: Larsen et al., Autoencoding beyond Pixels Using a Learned
    Similarity Metric, 2016, section 4.2.
  """
  colours = jnp.mean(real_images, axis=(1, 2))  # [b, c]
  count = min(_ROWS, len(latents))
  shown = latents[:count]
  columns = [real_images[:count], generator.apply(shown)]
  for values in (colours[:, 0] - colours[:, 2], jnp.mean(colours, axis=1)):
    vector = attribute_vector(latents, values)[None]
    columns += [generator.apply(shown + vector)]
    columns += [generator.apply(shown - vector)]
  return jnp.concatenate(columns, axis=2)


def attribute_vector(
  latents: Latents, values: Float[Array, "b"]
) -> Float[Array, "z"]:
  """The mean latent of the upper half by value minus that of the lower half.

  The middle one of an odd number belongs to both.
  """
  order, half = jnp.argsort(values), (len(values) + 1) // 2
  upper, lower = latents[order[-half:]], latents[order[:half]]
  return jnp.mean(upper, axis=0) - jnp.mean(lower, axis=0)
