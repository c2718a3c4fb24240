"""Convolutions without padding against JAX's own and its gradients."""

import functools

import jax
import jax.numpy as jnp
import pytest
from jax import lax

from astgan.models import unpadded
from tests.models.numbers import close, draw

# Few channels take other paths than many.
CHANNELS = pytest.mark.parametrize("channels", [(3, 8), (8, 3), (6, 10)])


def draw_arguments(channels, n=4):
  """Inputs [2 9 12 c], a kernel [n n c o] and outputs of their size."""
  c, o = channels
  shapes = (2, 9, 12, c), (n, n, c, o), (2, 10 - n, 13 - n, o)
  return [draw(*shape, seed=seed) for seed, shape in enumerate(shapes)]


def plain_conv(inputs, kernel):
  numbers = ("NHWC", "HWIO", "NHWC")
  return lax.conv_general_dilated(
    inputs, kernel, (1, 1), "VALID", dimension_numbers=numbers
  )


def plain_kernel_gradient(inputs, outputs):
  n = inputs.shape[1] - outputs.shape[1] + 1
  kernel = jnp.zeros((n, n, inputs.shape[3], outputs.shape[3]))
  return jax.grad(lambda k: jnp.vdot(plain_conv(inputs, k), outputs))(kernel)


# Each program, JAX's, and its arguments among (inputs, kernel, outputs).
MAPS = {
  "valid_conv": (plain_conv, (0, 1)),
  "kernel_gradient": (plain_kernel_gradient, (0, 2)),
}
PATHS = {name: MAPS[name] for name in MAPS} | {
  "valid_conv_by_xla": MAPS["valid_conv"],
  "valid_conv_by_padding": MAPS["valid_conv"],
  "valid_conv_by_columns": MAPS["valid_conv"],
  "kernel_gradient_by_xla": MAPS["kernel_gradient"],
  "kernel_gradient_by_padding": MAPS["kernel_gradient"],
  "kernel_gradient_by_exchange": MAPS["kernel_gradient"],
}


@CHANNELS
@pytest.mark.parametrize("n", [4, 7])
@pytest.mark.parametrize("name", PATHS)
def test_each_path_is_what_jax_derives(name, n, channels):
  plain, places = PATHS[name]
  arguments = [draw_arguments(channels, n)[place] for place in places]
  close(getattr(unpadded, name)(*arguments), plain(*arguments))


def penalty(f, *x):
  gradient = jax.grad(lambda *x: jnp.sum(f(*x) ** 3))(*x)
  return jnp.sqrt(jnp.sum(gradient**2))


@CHANNELS
@pytest.mark.parametrize("name", MAPS)
@pytest.mark.parametrize(
  "loss", [lambda f, *x: jnp.sum(jnp.sin(f(*x))), penalty]
)
def test_first_and_second_gradients_are_those_that_jax_derives(
  loss, name, channels
):
  plain, places = MAPS[name]
  arguments = [draw_arguments(channels)[place] for place in places]
  for one, other in zip(
    *(
      jax.jit(jax.grad(functools.partial(loss, f), (0, 1)))(*arguments)
      for f in (getattr(unpadded, name), plain)
    ),
    strict=True,
  ):
    close(one, other, rtol=1e-4)
