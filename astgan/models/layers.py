"""The 4x4 convolution of stride 2, forwards and transposed.

One trilinear form joins an image x [b 2h 2w c], a kernel k [4 4 c o] and a
response y [b h w o]: T(x, k, y) = <convolve(x, k), y>. Its derivative in each
argument is one of three bilinear maps, and each map's derivatives are the two
others:

  convolve(x, k)     in y: the strided convolution
  transpose(y, k)    in x: the transposed convolution
  correlate(x, y)    in k: the kernel's gradient

Written so, every gradient of any order is one of three programs, each of which
is fast. Left to itself, JAX computes the kernel's gradient of a transposed
convolution by a dilated convolution, which takes CPUs some forty times longer.
"""

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

Image = Float[Array, "b h2 w2 c"]
Kernel = Float[Array, "4 4 c o"]
Response = Float[Array, "b h w o"]

_DIMENSIONS = ("NHWC", "HWIO", "NHWC")


@jax.custom_vjp
def convolve(image: Image, kernel: Kernel) -> Response:
  """Convolution with stride 2 and padding 1: halves height and width."""
  return _convolve(image, kernel)


@jax.custom_vjp
def transpose(response: Response, kernel: Kernel) -> Image:
  """Transposed convolution with stride 2 and padding 1: doubles both sides.

  The adjoint of `convolve` in its image, for a kernel [4 4 c o] that maps the
  response's o channels to the image's c.
  """
  return lax.platform_dependent(
    response, kernel, cpu=_transpose_by_phases, default=_transpose
  )


@jax.custom_vjp
def correlate(image: Image, response: Response) -> Kernel:
  """The gradient of <convolve(image, kernel), response> in the kernel."""
  if image.shape[-1] > 4:
    return _correlate(image, response)
  return lax.platform_dependent(
    image, response, cpu=_correlate_patches, default=_correlate
  )


convolve.defvjp(
  lambda image, kernel: (convolve(image, kernel), (image, kernel)),
  lambda saved, g: (transpose(g, saved[1]), correlate(saved[0], g)),
)
transpose.defvjp(
  lambda response, kernel: (transpose(response, kernel), (response, kernel)),
  lambda saved, g: (convolve(g, saved[1]), correlate(g, saved[0])),
)
correlate.defvjp(
  lambda image, response: (correlate(image, response), (image, response)),
  lambda saved, g: (transpose(saved[1], g), convolve(saved[0], g)),
)


def _convolve(image: Image, kernel: Kernel) -> Response:
  return lax.conv_general_dilated(
    image, kernel, (2, 2), ((1, 1), (1, 1)), dimension_numbers=_DIMENSIONS
  )


def _transpose(response: Response, kernel: Kernel) -> Image:
  return lax.conv_general_dilated(
    response,
    jnp.flip(kernel, (0, 1)),
    (1, 1),
    ((2, 2), (2, 2)),
    lhs_dilation=(2, 2),
    dimension_numbers=("NHWC", "HWOI", "NHWC"),
  )


def _transpose_by_phases(response: Response, kernel: Kernel) -> Image:
  """The same without dilation's zeros, three quarters of the work.

  The padded image's 2x2 blocks are a 2x2 convolution of stride 1 of the
  response, with one output channel per pixel of the block.
  """
  b, h, w, _ = response.shape
  _, _, c, o = kernel.shape
  # Tap 2 i + p of the kernel meets pixel p of block i.
  taps = kernel.reshape(2, 2, 2, 2, c, o).transpose(0, 2, 5, 1, 3, 4)
  taps = jnp.flip(taps.reshape(2, 2, o, 4 * c), (0, 1))
  blocks = lax.conv_general_dilated(
    response, taps, (1, 1), ((1, 1), (1, 1)), dimension_numbers=_DIMENSIONS
  )  # [b, h + 1, w + 1, 4 c]
  padded = blocks.reshape(b, h + 1, w + 1, 2, 2, c).transpose(0, 1, 3, 2, 4, 5)
  return padded.reshape(b, 2 * h + 2, 2 * w + 2, c)[:, 1:-1, 1:-1]


def _correlate(image: Image, response: Response) -> Kernel:
  channels = (image.shape[-1], response.shape[-1])
  shape = jax.ShapeDtypeStruct((4, 4, *channels), image.dtype)
  (kernel,) = jax.linear_transpose(
    lambda kernel: _convolve(image, kernel), shape
  )(response)
  return kernel


def _correlate_patches(image: Image, response: Response) -> Kernel:
  """The same as one matrix product, of every 4x4 patch with its response.

  CPUs gain by it where the image has few channels, so that patches are small.
  """
  _, h, w, o = response.shape
  c = image.shape[-1]
  padded = jnp.pad(image, ((0, 0), (1, 1), (1, 1), (0, 0)))
  taps = [
    padded[:, i : i + 2 * h : 2, j : j + 2 * w : 2]
    for i in range(4)
    for j in range(4)
  ]
  # Kept apart from the product, which would read them out of order.
  patches = lax.optimization_barrier(jnp.concatenate(taps, axis=-1))
  kernel = jnp.einsum("bhwk,bhwo->ko", patches, response)
  return kernel.reshape(4, 4, c, o)
