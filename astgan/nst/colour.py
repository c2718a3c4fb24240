"""Colours of one image given to another.

References: Gatys et al., Preserving Color in Neural Artistic Style Transfer,
2016; Reinhard et al., Color Transfer between Images, 2001; Pitie and Kokaram,
The Linear Monge-Kantorovitch Colour Mapping, 2007.
"""

import numpy as np
from jaxtyping import Float

Pixels = Float[np.ndarray, "p 3"]
Image = Float[np.ndarray, "h w 3"]

# NTSC's luminance, and two axes of chrominance, of RGB.
LUMINANCE = (0.299, 0.587, 0.114)
_YIQ = np.array([LUMINANCE, [0.596, -0.274, -0.322], [0.211, -0.523, 0.312]])
# Added to the variances of a palette: one of a single colour has none.
_SMALLEST = 1e-6


def keep_chrominance(painting: Image, photograph: Image) -> Image:
  """The luminance of the painting with the chrominance of the photograph.

  Args:
    painting, photograph: in [0, 1], of one size.

  References: Gatys et al. 2016, section 3.2.
  """
  yiq = photograph @ _YIQ.T
  yiq[..., 0] = painting @ _YIQ[0]
  return np.clip(yiq @ np.linalg.inv(_YIQ).T, 0, 1).astype(painting.dtype)


def match_linear(
  image: Image, palette: Pixels, *, root: str = "symmetric"
) -> Image:
  """The image with the mean and the covariance of the colours of a palette.

    x' = A (x - mean) + palette mean,  A C A^T = palette covariance

  Args:
    image: in [0, 1]; the result is clipped to it.
    palette: colours of pixels, in [0, 1].
    root: which A; "cholesky" and "pca" are the roots of Gatys et al., and
      "symmetric" is the one that moves colours least (Pitie and Kokaram).

  Raises:
    ValueError: `root` is none of the three.
  """
  if root not in ROOTS:
    raise ValueError(f"root is one of {', '.join(ROOTS)}, not {root!r}")
  pixels = image.reshape(-1, 3).astype(np.float64)
  colours = palette.astype(np.float64)
  matrix = ROOTS[root](_covariance(pixels), _covariance(colours))
  matched = (pixels - pixels.mean(0)) @ matrix.T + colours.mean(0)
  return np.clip(matched, 0, 1).reshape(image.shape).astype(image.dtype)


def match_histogram(image: Image, palette: Pixels) -> Image:
  """The image with the distribution of each channel of a palette.

  The rank of a value in its channel becomes the quantile of the palette.

  Args:
    image: in [0, 1].
    palette: colours of pixels, in [0, 1].
  """
  pixels = image.reshape(-1, 3)
  matched = np.empty_like(pixels)
  for channel in range(3):
    # Equal values stay equal: each gets the mean rank of its equals.
    _, index, counts = np.unique(
      pixels[:, channel], return_inverse=True, return_counts=True
    )
    middle = np.cumsum(counts) - counts / 2
    ranks = middle[index.reshape(-1)] / len(pixels)
    matched[:, channel] = np.quantile(
      palette[:, channel], ranks, method="hazen"
    )
  return matched.reshape(image.shape)


def palette(image: Image, *, count: int = 4096) -> Pixels:
  """Colours of at most `count` pixels, evenly spread over an image."""
  pixels = image.reshape(-1, 3)
  count = min(count, len(pixels))
  return pixels[np.linspace(0, len(pixels) - 1, count).astype(int)]


def _covariance(pixels):
  return np.cov(pixels.T, bias=True) + _SMALLEST * np.eye(3)


def _cholesky(own, wanted):
  return np.linalg.cholesky(wanted) @ np.linalg.inv(np.linalg.cholesky(own))


def _root(matrix, power=0.5):
  values, vectors = np.linalg.eigh(matrix)
  return (vectors * values**power) @ vectors.T


def _pca(own, wanted):
  return _root(wanted) @ _root(own, -0.5)


def _symmetric(own, wanted):
  root, inverse = _root(own), _root(own, -0.5)
  return inverse @ _root(root @ wanted @ root) @ inverse


ROOTS = {"symmetric": _symmetric, "cholesky": _cholesky, "pca": _pca}
