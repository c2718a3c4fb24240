"""The generators of StyleGAN and, without its additions, of ProGAN.

At width 512 and 64 pixels they have 25,137,935 parameters, of which the mapping
network 2,101,248, and 22,490,383; the discriminator has 22,498,049.

References: Karras, Laine and Aila, A Style-Based Generator Architecture for
  Generative Adversarial Networks, 2019, figure 1, appendices B and C; Karras,
  Aila, Laine and Lehtinen, Progressive Growing of GANs for Improved Quality,
  Stability, and Variation, 2018.
"""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import DTypeLike
from jaxtyping import Array, Float, PyTree

from astgan.arrays import Images, Latents
from astgan.models import equalised, growing, noise, synthesis

Styles = Float[Array, "b layers z"]
Noises = list[Float[Array, "b _side _side"]]
# Of the mapping network: layers, and the factor on their learning rate.
_DEPTH, _RATE = 8, 0.01
# What an update leaves of the average w (Karras et al., 2019, appendix B).
_DECAY = 0.995


class Mapping(nn.Module):
  """Latents z to latents w, from which styles follow, and their average.

  Attributes:
    dtype: precision of the products; parameters are float32.
  """

  dtype: DTypeLike

  @nn.compact
  def __call__(
    self, latents: Latents, *, train: bool
  ) -> tuple[Latents, Float[Array, "z"]]:
    """w of each latent, and the average w; `train` moves it."""
    w = equalised.pixel_norm(latents)
    shape = (latents.shape[-1],) * 2
    for i in range(_DEPTH):
      dense = equalised.Linear(
        jnp.matmul, shape, self.dtype, rate=_RATE, name=f"dense_{i}"
      )
      w = equalised.leaky_relu(dense(w))
    w = w.astype(jnp.float32)
    average = self.variable("average", "w", jnp.zeros, w.shape[-1:])
    if train:
      mean = jnp.mean(w, axis=0)
      average.value = mean + _DECAY * (average.value - mean)
    return w, average.value


class Generator(nn.Module):
  """Latents to images.

  Attributes:
    size: side of the images in pixels, a power of two from 8.
    width: channels at sides up to 32.
    has_styles: StyleGAN's generator, with a mapping network, a learned
      constant, styles, noise and blurs; else that of ProGAN.
    truncation: psi, the distance of w from its average when images are sampled,
      as a share of what it is in training (Karras et al., 2019, appendix B).
    dtype: precision of the convolutions; parameters are float32.
  """

  size: int
  width: int
  has_styles: bool
  truncation: float = 1.0
  dtype: DTypeLike = jnp.float32

  def setup(self):
    self.level = self.variable("growth", "level", jnp.zeros, ())
    self.synthesis = synthesis.Synthesis(
      self.size, self.width, self.has_styles, self.dtype
    )
    if self.has_styles:
      self.mapping = Mapping(self.dtype)

  def __call__(
    self, inputs: Latents | dict[str, PyTree], *, train: bool
  ) -> Images:
    """Images, float32, [b size size 3].

    Args:
      inputs: latents z ~ N(0, I), [b z]. In training those of StyleGAN have
        more with them (`draw`); when sampling, a latent has its own noise.
      train: mix styles, and move the average w; else truncate, and clip the
        images to [-1, 1].
    """
    if not self.has_styles:
      images = self.synthesise(inputs, None)
      return images if train else jnp.clip(images, -1, 1)
    if train:
      return self.synthesise(self.mix(inputs), inputs["noise"])
    sides = [side for side in growing.sides_to(self.size) for _ in range(2)]
    noises = noise.of_latents(inputs, sides)
    images = self.synthesise(self.styles(inputs, self.truncation), noises)
    return jnp.clip(images, -1, 1)

  def styles(
    self, latents: Latents, truncation: float | Float[Array, ""]
  ) -> Styles:
    """average + truncation (w - average), the same for all layers."""
    w, average = self.mapping(latents, train=False)
    w = average[None] + truncation * (w - average[None])
    return jnp.repeat(w[:, None], 2 * len(growing.sides_to(self.size)), axis=1)

  def mix(self, draws: dict[str, PyTree]) -> Styles:
    """w of one latent up to a layer, and of another one from there on."""
    latents = jnp.concatenate([draws["latents"], draws["others"]])
    w, _ = self.mapping(latents, train=True)
    first, second = jnp.split(w[:, None], 2)
    count = 2 * len(growing.sides_to(self.size))
    is_first = jnp.arange(count)[None] < draws["crossover"][:, None]
    return jnp.where(is_first[..., None], first, second)

  def synthesise(
    self, inputs: Latents | Styles, noises: Noises | None
  ) -> Images:
    """Images of styles and noise, or of latents in ProGAN."""
    return self.synthesis(inputs, noises, self.level.value)


def draw(
  key: jax.Array, count: int, *, size: int, latent_dim: int, mixing: float
) -> dict[str, PyTree]:
  """What the generator of StyleGAN needs beside its latents in training.

  Args:
    key: of this chance.
    count: of images.
    size: their side in pixels.
    latent_dim: dimensions of a latent.
    mixing: probability that an image has two styles.

  Returns: `others`, latents of the second style; `crossover`, the number of
  layers that have the first; `noise` of each layer.
  """
  sides = [side for side in growing.sides_to(size) for _ in range(2)]
  layer_key, mixing_key, other_key, noise_key = jax.random.split(key, 4)
  layer = jax.random.randint(layer_key, (count,), 1, len(sides))
  is_mixed = jax.random.bernoulli(mixing_key, mixing, (count,))
  areas = [side**2 for side in sides]
  pixels = jax.random.normal(noise_key, (count, sum(areas)))
  pixels = jnp.split(pixels, np.cumsum(areas)[:-1], axis=1)
  return {
    "others": jax.random.normal(other_key, (count, latent_dim)),
    "crossover": jnp.where(is_mixed, layer, len(sides)),
    "noise": [
      x.reshape(count, side, side)
      for x, side in zip(pixels, sides, strict=True)
    ],
  }
