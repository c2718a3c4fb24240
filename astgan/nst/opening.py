"""What `paint.style`, `paint.styles` and `paint.painter` name, opened."""

import hashlib
import pathlib

import jax
import ml_collections
import numpy as np
from jaxtyping import PyTree

from astgan import errors, runs, sampling
from astgan.data import images
from astgan.nst import painted, styles
from astgan.systems import painters


def open_styles(
  config: ml_collections.ConfigDict, key: jax.Array
) -> painted.Painted | tuple[styles.Files | styles.Generated, ...]:
  """The styles, or the painter that knows them or is told them.

  Args:
    config: the whole config.
    key: of the latents of generators.

  Raises:
    UserError: as `open_style`; a painter that knows its style is one of several
      or has another strength than 1; one that does not is told none;
      `paint.painter` is no painter's run; or `paint.upscale` has nothing to
      enlarge.
  """
  paint = config.paint
  if paint.painter:
    found = _open_painter(config, key)
  else:
    opened = _open_all(config, key)
    is_painter = any(isinstance(one, painted.Painted) for one in opened)
    if is_painter and len(opened) > 1:
      raise errors.UserError(
        "paint.styles: a painter that knows its style paints alone; leave"
        " paint.styles empty, or name images and generators"
      )
    found = opened[0] if is_painter else opened
  knows = not isinstance(found, painted.Painted) or not found.told
  if knows and paint.strength != 1:
    raise errors.UserError(
      f"paint.strength={paint.strength} is for painters that are told their"
      " style, and there is none; leave it at 1"
    )
  told = found.told if isinstance(found, painted.Painted) else found
  if paint.upscale and not any(
    isinstance(one, styles.Generated) for one in told
  ):
    raise errors.UserError(
      f"paint.upscale={paint.upscale} enlarges what a generator draws, and no"
      " style is a generator's run; leave it empty"
    )
  for name, whole in (("masks", "photograph"), ("style_masks", "style image")):
    if isinstance(found, painted.Painted) and paint[name]:
      raise errors.UserError(
        f"paint.{name}: a painter takes the whole {whole}; leave paint.{name}"
        " empty, ()"
      )
  return found


def open_style(
  config: ml_collections.ConfigDict, key: jax.Array, style: str
) -> styles.Files | styles.Generated | painted.Painted:
  """One style.

  A folder with the config.json of a run is that of a training. Its generator
  draws `paint.style_batch` images, or its painter paints.

  Args:
    config: the whole config.
    key: key of the latents.
    style: an image, a folder of images or a run folder.

  Raises:
    UserError: the path does not exist, no image can be read, a run folder has
      no checkpoints, there is no such direction, or its painter has to be told
      a style.
  """
  paint = config.paint
  if not style:
    raise errors.UserError(
      "paint.style is empty; name an image, a folder of images or a run folder"
    )
  path = pathlib.Path(style).expanduser()
  if runs.is_run(path):
    trained = sampling.load(path, step=paint.style_step)
    if trained.is_painter or (paint.direction and not paint.painter):
      found = _painted(trained, paint.direction)
      if isinstance(found.painter, painters.StylePainter):
        raise errors.UserError(
          f"paint.style={path} is a painter that is told its style; name the"
          " run by paint.painter, and a style by paint.style"
        )
      return found
    generator, count = trained.generator, paint.style_batch
    origin = _origin(trained.step, generator.variables["params"])
    enlarge = None
    if paint.upscale:
      upscaling = sampling.load(pathlib.Path(paint.upscale).expanduser())
      enlarge = upscaling.upscaler.enlarge
      origin["upscale"] = _origin(upscaling.step, upscaling.upscaler.params)
    batch = generator.sample_bytes(key, count, enlarge=enlarge)
    share = round(paint.generated_share * paint.size)
    side = share or max(batch.shape[1:3])
    return styles.Generated(batch, paint.style_size or side, origin)
  if paint.direction and not paint.painter:
    raise errors.UserError(
      f"paint.direction={paint.direction} is for painters, and paint.style="
      f'{path} is no training run; leave it empty, ""'
    )
  paths = images.find(path)
  files = styles.Files(paths, paint.style_size or paint.size)
  if len(paths) == 1:
    images.read(paths[0])
  elif next(iter(files), None) is None:
    raise errors.UserError(
      f"{path}: none of its {len(paths)} images can be read"
    )
  return files


def _open_all(config, key):
  paint = config.paint
  opened = [open_style(config, key, paint.style)]
  for number, path in enumerate(paint.styles, start=1):
    opened.append(open_style(config, jax.random.fold_in(key, number), path))
  return tuple(opened)


def _open_painter(config, key):
  """The painter of `paint.painter`, and the styles if it is told them."""
  paint = config.paint
  path = pathlib.Path(paint.painter).expanduser()
  trained = sampling.load(path)
  if not trained.is_painter:
    raise errors.UserError(
      f"paint.painter={path} did not train a painter; a generator's run is"
      " named by paint.style"
    )
  found = _painted(trained, paint.direction)
  if not isinstance(found.painter, painters.StylePainter):
    if paint.style or paint.styles:
      raise errors.UserError(
        f"paint.painter={path} knows its style; leave paint.style and"
        " paint.styles empty"
      )
    return found
  if not paint.style:
    raise errors.UserError(
      f"paint.painter={path} is told its style, and paint.style is empty; name"
      " an image, a folder of images or a generator's run"
    )
  opened = _open_all(config, key)
  for one in opened:
    if isinstance(one, painted.Painted):
      raise errors.UserError(
        "paint.style and paint.styles: one is a painter's run, which has no"
        " images to tell; name images or a generator's run"
      )
  return painted.Painted(
    found.painter,
    found.direction,
    found.origin,
    told=opened,
    blend=paint.blend,
    strength=paint.strength,
  )


def _painted(trained, direction):
  """Raises UserError where the run has no painter in that direction."""
  if not direction and trained.is_painter:
    direction = trained.sampler.directions[0]
  painter = trained.painter(direction)
  origin = _origin(trained.step, painter.params[direction])
  return painted.Painted(painter, direction, origin)


def _origin(step: int, params: PyTree) -> dict[str, object]:
  # The last bits of the images depend on the device, those of params do not.
  sha256 = hashlib.sha256()
  for array in jax.tree.leaves(params):
    sha256.update(np.asarray(array).tobytes())
  return {"step": step, "sha256": sha256.hexdigest()}
