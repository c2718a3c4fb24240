"""Content, style and smoothness, measured on features of a fixed network.

Each loss returns one value per example, without a weight. The accumulation
dtype is float32 or wider: sums of products of VGG's features overflow float16
and lose their digits in bfloat16.

References: Gatys, Ecker and Bethge, A Neural Algorithm of Artistic Style, 2015.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from astgan.arrays import (
  Features,
  Grams,
  Images,
  PerExample,
  accumulation_dtype,
)

NORMALIZATIONS = ("hwc", "hw", "none")


def gram(features: Features, *, normalize: str = "hwc") -> Grams:
  """Gram matrices: inner products of channels over all pixels.

    G_ij = sum_p F_pi F_pj / n

  The position of a pixel does not matter: the matrix says which features occur
  together, and that is how Gatys describes style. Values normalised by "hwc" do
  not depend on the size of the image and hardly on the width of the layer; a
  style weight of 50,000 belongs to them.

  Args:
    features: [b h w c], any range.
    normalize: n; "hwc" is h w c (as in the PyTorch tutorial), "hw" the number
      of pixels (second moments of the features), "none" 1 (Gatys 2015,
      equation 3).

  Returns: one symmetric matrix per example, in the accumulation dtype.

  Raises:
    ValueError: `normalize` is not one of the three.
  """
  if normalize not in NORMALIZATIONS:
    raise ValueError(
      f"normalize: expected one of {NORMALIZATIONS}, got {normalize!r}"
    )
  examples, height, width, channels = features.shape
  points = height * width
  count = {"hwc": points * channels, "hw": points, "none": 1}[normalize]
  return _inner_products(features.reshape(examples, points, channels)) / count


@jax.custom_jvp
def _inner_products(pixels: Float[Array, "b p c"]) -> Grams:
  return _channel_products(pixels, pixels)


@_inner_products.defjvp
def _inner_products_jvp(primals, tangents):
  # The product rule has two terms, and each is the transpose of the other. This
  # rule needs one matrix product, automatic differentiation needs two.
  (pixels,), (change,) = primals, tangents
  half = _channel_products(pixels, change)
  return _inner_products(pixels), half + half.mT


def _channel_products(
  left: Float[Array, "b p c"], right: Float[Array, "b p c"]
) -> Grams:
  return jnp.einsum(
    "bpi,bpj->bij", left, right, preferred_element_type=accumulation_dtype(left)
  )


def content(features: Features, target: Features) -> PerExample:
  """Content loss: mean_hwc (F - P)^2, the mean square over one layer.

  Gatys' equation 1 is half of the sum: h w c / 2 times this. With the mean, one
  weight suits images of every size.

  Args:
    features: of the image that is optimised.
    target: of the photograph, in the same layer.

  Raises:
    ValueError: the shapes differ.

  References: Gatys et al. 2015, equation 1.
  """
  return _mean_square(features, target)


def style(gram: Grams, target: Grams) -> PerExample:
  """Style loss of one layer: mean_ij (G_ij - A_ij)^2.

  For N channels and M = h w pixels, Gatys' loss is E_l = sum (G - A)^2 /
  (4 N^2 M^2), on matrices without normalisation. E_l is a quarter of this loss
  on Gram matrices normalised by "hw" (each by the M of its own image), and
  N^2 / 4 times this loss on those normalised by "hwc".

  Args:
    gram: of the image that is optimised.
    target: of the style image, with the same normalisation.

  Raises:
    ValueError: the shapes differ.

  References: Gatys et al. 2015, equation 4.
  """
  return _mean_square(gram, target)


def batch_style(gram: Grams, grams: Float[Array, "m c c"]) -> PerExample:
  """Style loss against a group: the mean of `style` over its m images.

  Computed as the distance to the mean Gram matrix plus the spread of the group,

    mean_i |G - A_i|^2 = |G - mean A|^2 + mean_i |A_i - mean A|^2,

  which needs no array [b m c c]. Only the first term depends on G.

  Args:
    gram: of the images that are optimised.
    grams: of the group, one per style image, with the same normalisation.

  References: the Ast-GAN report, section 3.3.
  """
  grams = grams.astype(accumulation_dtype(gram, grams))
  mean = jnp.mean(grams, axis=0, keepdims=True)
  spread = jnp.mean(jnp.square(grams - mean))
  return style(gram, jnp.broadcast_to(mean, gram.shape)) + spread


def total_variation(images: Images) -> PerExample:
  """Total variation: mean squared difference of neighbours, down plus across.

  Squares, as in Mahendran and Vedaldi (beta = 2) and Johnson, instead of
  absolute differences: the gradient is smooth, which L-BFGS needs, and it is
  largest at isolated bright pixels, which optimised images tend to have. Each
  direction is a mean, so the loss does not grow with the number of pixels.

  Args:
    images: at least 2 by 2 pixels, any range.

  Raises:
    ValueError: a side has one pixel.

  References: Mahendran and Vedaldi, Understanding Deep Image Representations
    by Inverting Them, 2015, equation 3; Johnson, Alahi and Fei-Fei, Perceptual
    Losses for Real-Time Style Transfer, 2016.
  """
  if min(images.shape[1:3]) < 2:
    raise ValueError(f"expected at least 2 by 2 pixels, got {images.shape}")
  down = _mean_square(images[:, 1:], images[:, :-1])
  across = _mean_square(images[:, :, 1:], images[:, :, :-1])
  return down + across


def _mean_square(left: Array, right: Array) -> PerExample:
  if left.shape != right.shape:
    raise ValueError(f"expected equal shapes, got {left.shape}, {right.shape}")
  dtype = accumulation_dtype(left, right)
  difference = left.astype(dtype) - right.astype(dtype)
  return jnp.mean(jnp.square(difference), axis=tuple(range(1, left.ndim)))
