"""Task `sample`: what a trained generator draws."""

import logging
import math
import pathlib
from collections.abc import Callable

import jax
import jax.numpy as jnp
import ml_collections
import numpy as np
from jaxtyping import Array, Float, UInt8

from astgan import checks, errors, runs, sampling
from astgan.arrays import Images, Latents
from astgan.data import images

logger = logging.getLogger(__name__)


def sample(config: ml_collections.ConfigDict, workdir: pathlib.Path) -> None:
  """Draws grids and interpolations of `sample.run` into the run folder.

  `samples/grid_%02d.png` show images of independent latents;
  `interpolations.png` has a row per pair of latents, from the one's image to
  the other's.

  Raises:
    UserError: a field cannot be, the run has no such checkpoint, or the other
      one trained no upscaler.
  """
  for name in ("count", "grids"):
    checks.within(config, f"sample.{name}", 1, 10_000)
  checks.within(config, "sample.rows", 1, 1000)
  checks.within(config, "sample.columns", 2, 1000)
  if not config.sample.run:
    raise errors.UserError(
      "config.sample.run is empty; name the folder of a training run"
    )
  run = pathlib.Path(config.sample.run).expanduser()
  generator = sampling.load(run, step=config.sample.step).generator
  enlarge = _open_upscaler(config.sample.upscale)
  runs.open_run(workdir, config)
  folder = workdir / "samples"
  folder.mkdir(exist_ok=True)
  grid_key, row_key = jax.random.split(jax.random.key(config.seed))
  for i in range(config.sample.grids):
    key = jax.random.fold_in(grid_key, i)
    drawn = generator.sample_bytes(key, config.sample.count, enlarge=enlarge)
    path = folder / f"grid_{i:02d}.png"
    _write_grid(path, drawn, columns=math.ceil(config.sample.count**0.5))
  shape = (2, config.sample.rows, generator.latent_dim)
  start, end = jax.random.normal(row_key, shape)
  rows = slerp(start, end, jnp.linspace(0, 1, config.sample.columns))
  latents = rows.reshape(-1, generator.latent_dim)
  drawn = generator.apply_bytes(latents, enlarge=enlarge)
  path = folder / "interpolations.png"
  _write_grid(path, drawn, columns=config.sample.columns)


def slerp(
  start: Latents, end: Latents, shares: Float[Array, "n"]
) -> Float[Array, "b n z"]:
  """Latents along the great circles from `start` to `end`.

  Latents of high dimension lie near a sphere, and straight lines between them
  pass through its inside, where the generator was never trained. The length
  changes linearly.

  Args:
    start, end: neither zero, [b z].
    shares: of the way, in [0, 1].

  References: Shoemake, Animating Rotation with Quaternion Curves, 1985; White,
    Sampling Generative Networks, 2016.
  """
  start_length = jnp.linalg.norm(start, axis=-1)[:, None, None]
  end_length = jnp.linalg.norm(end, axis=-1)[:, None, None]
  start = start[:, None] / start_length
  end = end[:, None] / end_length
  cosine = jnp.sum(start * end, axis=-1, keepdims=True)
  # Away from 0 and pi, where every great circle passes and the sine is 0.
  angle = jnp.arccos(jnp.clip(cosine, -1 + 1e-6, 1 - 1e-6))
  shares = shares[None, :, None]
  directions = (
    jnp.sin((1 - shares) * angle) * start + jnp.sin(shares * angle) * end
  ) / jnp.sin(angle)
  return directions * ((1 - shares) * start_length + shares * end_length)


def _open_upscaler(upscale: str) -> Callable[[Images], Images] | None:
  """What enlarges images; None, of "", leaves them as they are."""
  if not upscale:
    return None
  return sampling.load(pathlib.Path(upscale).expanduser()).upscaler.enlarge


def _write_grid(
  path: pathlib.Path, drawn: UInt8[np.ndarray, "n h w 3"], *, columns: int
) -> None:
  images.write(path, images.grid(drawn, columns=columns))
  logger.info(path)
