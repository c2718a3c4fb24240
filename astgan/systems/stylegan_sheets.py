"""What system `stylegan` shows beside its samples, each one large image.

References: Karras, Laine and Aila, A Style-Based Generator Architecture for
  Generative Adversarial Networks, 2019, figures 3, 4 and 8.
"""

import functools

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PyTree

from astgan.arrays import Images, Latents
from astgan.models import growing, noise, stylegan
from astgan.systems import generators

Sheet = Float[Array, "1 rows columns c"]

# Latents of the rows, and as many of the columns; values of psi.
_LATENTS, _PSIS = 4, (1.0, 0.7, 0.4, 0.0, -0.4)
# Rows of other noise, images in each, and how many of them are shown; what
# their deviation is multiplied by.
_ROWS, _NOISES, _SHOWN, _CONTRAST = 3, 15, 3, 5.0
# All images are drawn in as many calls of one program.
_CALLS = 6


def draw(generator: generators.Generator) -> dict[str, Sheet]:
  """The sheets of a generator by name, of the same latents each time.

  "mixing" has in each place the coarse styles of the image at its left edge,
  those of the first half of the layers that are shown, and the fine ones of the
  image at its upper edge. "truncation" has a row for each psi: 1 is none, 0 the
  average w. "noise" has a row for each style: images of other noise, and the
  deviation of all of them, black where there is none, white from a tenth of the
  range of values. Images of the first two sheets have one noise.
  """
  module, variables, latent_dim = generator
  styles_of = functools.partial(_styles, module, variables)
  shape = (2 * _LATENTS, latent_dim)
  latents = jax.random.normal(jax.random.key(0), shape)
  sources = styles_of(latents, module.truncation)
  level = variables["growth"]["level"]
  mixed = _mix(*jnp.split(sources, 2), coarse=jnp.ceil(level) + 1)
  drawn_in = jnp.concatenate([styles_of(latents[:_LATENTS], x) for x in _PSIS])
  repeated = jnp.repeat(sources[:_ROWS], _NOISES, axis=0)
  parts = mixed, drawn_in, repeated
  sizes = [len(part) for part in parts]
  images = _draw(
    module,
    variables,
    jnp.concatenate(parts),
    _noises(module.size, latent_dim, one=sum(sizes[:2])),
  )
  mixed, drawn_in, noisy = (
    images[sum(sizes[:i]) : sum(sizes[: i + 1])] for i in range(3)
  )
  # Nothing stands in the corner.
  mixed = mixed.at[0].set(1.0)
  return {
    "mixing": _tile(mixed, rows=_LATENTS + 1),
    "truncation": _tile(drawn_in, rows=len(_PSIS)),
    "noise": _noise(noisy),
  }


@functools.partial(jax.jit, static_argnums=0)
def _styles(
  module: nn.Module,
  variables: PyTree,
  latents: Latents,
  truncation: Float[Array, ""],
) -> stylegan.Styles:
  return module.apply(variables, latents, truncation, method="styles")


@functools.partial(jax.jit, static_argnums=0)
def _synthesise(
  module: nn.Module,
  variables: PyTree,
  styles: stylegan.Styles,
  noises: stylegan.Noises,
) -> Images:
  images = module.apply(variables, styles, noises, method="synthesise")
  return jnp.clip(images, -1, 1)


def _draw(
  module: nn.Module,
  variables: PyTree,
  styles: stylegan.Styles,
  noises: stylegan.Noises,
) -> Images:
  """Their images, a few at a time."""
  count = len(styles) // _CALLS
  images = [
    _synthesise(
      module,
      variables,
      styles[i : i + count],
      [pixels[i : i + count] for pixels in noises],
    )
    for i in range(0, len(styles), count)
  ]
  return jnp.concatenate(images)


def _mix(
  rows: stylegan.Styles, columns: stylegan.Styles, *, coarse: Float[Array, ""]
) -> Float[Array, "_ layers z"]:
  """Styles of the whole grid, whose first row and column are the sources.

  Those in the upper row are mixed with themselves, those in the first column
  too; the corner with whatever is near.

  Args:
    rows, columns: the sources at both edges.
    coarse: layers whose styles are those of the rows.
  """
  n = len(rows)
  left = jnp.concatenate([columns[None], jnp.repeat(rows[:, None], n, axis=1)])
  upper = jnp.repeat(columns[None], n + 1, axis=0)
  is_coarse = jnp.arange(rows.shape[1], dtype=coarse.dtype) < coarse
  mixed = jnp.where(is_coarse[:, None], left, upper)  # [n + 1, n, layers, z]
  edge = jnp.concatenate([columns[:1], rows])[:, None]
  grid = jnp.concatenate([edge, mixed], axis=1)
  return grid.reshape(-1, *rows.shape[1:])


def _noises(size: int, latent_dim: int, *, one: int) -> stylegan.Noises:
  """One noise for the first images, and `_ROWS` times the same after them."""
  sides = [side for side in growing.sides_to(size) for _ in range(2)]
  drawn = jax.random.normal(jax.random.key(1), (1 + _NOISES, latent_dim))
  places = jnp.concatenate(
    [jnp.zeros(one, int), jnp.tile(jnp.arange(1, 1 + _NOISES), _ROWS)]
  )
  return [pixels[places] for pixels in noise.of_latents(drawn, sides)]


def _noise(images: Images) -> Sheet:
  rows = images.reshape(_ROWS, _NOISES, *images.shape[1:])
  deviation = jnp.sqrt(jnp.mean(jnp.var(rows, axis=1), axis=-1))
  grey = 2 * jnp.clip(_CONTRAST * deviation, 0, 1) - 1
  grey = jnp.repeat(grey[:, None, ..., None], images.shape[-1], axis=-1)
  shown = jnp.concatenate([rows[:, :_SHOWN], grey], axis=1)
  return _tile(shown.reshape(-1, *images.shape[1:]), rows=_ROWS)


def _tile(images: Images, *, rows: int) -> Sheet:
  b, h, w, c = images.shape
  columns = b // rows
  grid = images.reshape(rows, columns, h, w, c).transpose(0, 2, 1, 3, 4)
  return grid.reshape(1, rows * h, columns * w, c)
