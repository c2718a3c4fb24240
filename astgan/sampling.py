"""What a finished training gives away, to every task that asks for it."""

import functools
import pathlib
from typing import NamedTuple

import jax

from astgan import checkpoints, errors, runs
from astgan.systems import generators, painters, registry


class Trained(NamedTuple):
  """What a training run saved.

  Attributes:
    step: completed generator updates.
    sampler: what draws images of latents, or paints photographs, with the one
      choice of sampling variables.
    workdir: the run folder.
  """

  step: int
  sampler: generators.Generator | painters.Painter
  workdir: pathlib.Path

  @property
  def is_painter(self) -> bool:
    """Whether it paints photographs in one pass."""
    return isinstance(self.sampler, painters.Painter)

  @property
  def generator(self) -> generators.Generator:
    """Latents to images.

    Raises:
      UserError: the run trained a painter.
    """
    if self.is_painter:
      raise errors.UserError(
        f"{self.workdir} trained a painter, which draws no samples; paint with"
        f" --config=configs/nst.py --config.paint.style={self.workdir}"
      )
    return self.sampler

  def painter(self, direction: str) -> painters.Painter:
    """Photographs to pictures.

    Args:
      direction: that it must have.

    Raises:
      UserError: the run trained a generator, or another direction.
    """
    if not self.is_painter:
      raise errors.UserError(
        f"{self.workdir} trained a generator, which paints by its style batch"
        f' and in no direction; leave paint.direction={direction} empty, ""'
      )
    if direction not in self.sampler.directions:
      raise errors.UserError(
        f"paint.direction={direction}: the painter of {self.workdir} has"
        f" {' and '.join(self.sampler.directions)}"
      )
    return self.sampler


def load(workdir: pathlib.Path, *, step: int = -1) -> Trained:
  """The generator or the painter of a training run.

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
  return Trained(step, system.sampler(state), workdir)
