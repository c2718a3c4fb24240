"""What the networks share: linear maps with parameters, and normalisations."""

from collections.abc import Callable

import flax.linen as nn
import jax.numpy as jnp
from jax.typing import DTypeLike

from astgan.models import spectral

NORMS = ("batch", "layer", "none")


class Linear(nn.Module):
  """`operation(inputs, kernel)`, with a bias per channel if asked.

  Attributes:
    operation: linear in both arguments, such as a convolution.
    shape: of the kernel.
    kernel_init: draws it of a key and a shape.
    dtype: precision of the operation; parameters are float32.
    use_bias: whether a bias, first zero, is added.
    spectral_norm: see `spectral.kernel_param`.
    out_axes: the axes of the kernel that make the outputs' channels.
  """

  operation: Callable
  shape: tuple[int, ...]
  kernel_init: Callable
  dtype: DTypeLike
  use_bias: bool = False
  spectral_norm: bool = False
  out_axes: tuple[int, ...] = (-1,)

  @nn.compact
  def __call__(self, inputs, *, train: bool):
    kernel = spectral.kernel_param(
      self,
      "kernel",
      self.kernel_init,
      self.shape,
      spectral_norm=self.spectral_norm,
      train=train,
      out_axes=self.out_axes,
    )
    x = self.operation(inputs.astype(self.dtype), kernel.astype(self.dtype))
    if self.use_bias:
      bias = self.param("bias", nn.initializers.zeros, (x.shape[-1],))
      x = x + jnp.broadcast_to(bias.astype(self.dtype), x.shape)
    return x


def normalization(
  norm: str,
  *,
  name: str,
  train: bool,
  axis_name: str | None,
  dtype: DTypeLike,
  momentum: float = 0.9,
  scale_init: Callable = nn.initializers.ones,
) -> Callable:
  """A map of [b h w c], with a scale and a bias per channel.

  Args:
    norm: `batch`; `layer`, over h, w and c of each example (Ba et al., Layer
      Normalization, 2016); or `none`, which changes nothing and has no
      parameters.
    name: of the module.
    train: normalise by the batch and move the running statistics, or normalise
      by the running statistics; acts on `batch` alone.
    axis_name: mapped axis over which batch statistics are shared, or None.
    dtype: of what comes out.
    momentum: share of the running statistics that a batch leaves as they were.
    scale_init: draws the scales of a key and a shape.

  Raises:
    ValueError: the norm is unknown.
  """
  shared = {
    "epsilon": 1e-5, "dtype": dtype, "scale_init": scale_init, "name": name
  }  # fmt: skip
  match norm:
    case "batch":
      return nn.BatchNorm(
        use_running_average=not train,
        momentum=momentum,
        axis_name=axis_name,
        **shared,
      )
    case "layer":
      return nn.LayerNorm(reduction_axes=(1, 2, 3), feature_axes=-1, **shared)
    case "none":
      return lambda x: x
  raise ValueError(f"norm must be one of {NORMS}, got {norm!r}")
