"""The images of a style to train on: of files, or drawn by a generator."""

import pathlib
from collections.abc import Callable, Iterator

import jax
import ml_collections
import numpy as np
from jaxtyping import Float

from astgan import digests, errors, runs
from astgan.data import images
from astgan.systems import generators, interface, states

# Pixels a side that the deepest layers of a feature network need.
_POOL5_SIDE, _DEEPEST_SIDE = 32, 16


def read(
  config: ml_collections.ConfigDict,
  make: Callable[[ml_collections.ConfigDict], interface.System],
) -> Iterator[Float[np.ndarray, "_ _ 3"]]:
  """The images of `style.source`, in [0, 1], at `style.size`.

  Args:
    config: a training config with a section `style`.
    make: of a config, the system of a generator's run.

  Raises:
    UserError: there are no such images, one cannot be read or is too narrow, or
      a run folder has no generator.
  """
  style = config.style
  path = pathlib.Path(style.source).expanduser()
  if runs.is_run(path):
    key = jax.random.key(config.seed)
    found = _generator(path, make).sample_bytes(key, style.batch)
  else:
    try:
      found = map(images.read, images.find(path))
    except errors.UserError as error:
      raise errors.UserError(f"config.style.source: {error}") from error
  has_pool5 = "pool5" in config.loss.style_layers
  smallest = _POOL5_SIDE if has_pool5 else _DEEPEST_SIDE
  for image in found:
    shown = images.fit(image, style.size)
    if min(shown.shape[:2]) < smallest:
      raise errors.UserError(
        f"config.style.size={style.size}: an image of {path} would have"
        f" {min(shown.shape[:2])} pixels on its shorter side, {smallest} are"
        " needed; raise it, or leave the image out"
      )
    yield shown.astype(np.float32) / 255


def fingerprint(config: ml_collections.ConfigDict) -> dict[str, int | str]:
  """What a run must find again: the images of a folder, or a generator's run.

  Returns: `digests.fingerprint` of the files, wherever they are; or the run
    folder.
  """
  path = pathlib.Path(config.style.source).expanduser()
  if runs.is_run(path):
    return {"run": config.style.source}
  return digests.fingerprint(images.find(path))


def _generator(workdir, make) -> generators.Generator:
  config = runs.read_training(workdir)
  system = make(config)
  _, state = states.restore(system, workdir, seed=config.seed)
  sampler = system.sampler(state)
  if not isinstance(sampler, generators.Generator):
    raise errors.UserError(
      f"config.style.source={workdir} trained no generator; name the run of"
      " one, an image, or a folder of images"
    )
  return sampler
