"""What a finished training gives away, to every task that asks for it."""

import functools
import pathlib
from typing import NamedTuple

import jax

from astgan import checkpoints, errors, runs
from astgan.systems import generators, registry


class Trained(NamedTuple):
  """What a training run saved.

  Attributes:
    step: completed generator updates.
    generator: latents to images, with the one choice of sampling variables.
  """

  step: int
  generator: generators.Generator


def load(workdir: pathlib.Path, *, step: int = -1) -> Trained:
  """The generator of a training run.

  Args:
    workdir: the run folder; nothing in it is changed.
    step: of the checkpoint; -1 is the newest.

  Raises:
    UserError: the folder is no training run of this version, or holds no such
      checkpoint.
  """
  config = runs.read_training(workdir)
  try:
    system = registry.make(config)
  except errors.UserError as error:
    raise errors.UserError(
      f"{workdir / 'config.json'} is not of this version of astgan: {error};"
      " use the version that wrote it, or train in another --workdir"
    ) from error
  template = jax.eval_shape(
    functools.partial(system.init, jax.random.key(config.seed))
  )
  step, state = checkpoints.restore(workdir, template, step=step)
  return Trained(step, system.sampler(state))
