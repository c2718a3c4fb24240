"""A training that grows: a phase for each side, and what its start changes.

Each side after the first fades in, then trains on as it is. Real images are
blended with their halves as the networks' are (`models.growing`).

References: Karras, Aila, Laine and Lehtinen, Progressive Growing of GANs for
  Improved Quality, Stability, and Variation, 2018, section 2 and appendix A.
"""

import functools

import jax
import jax.numpy as jnp
import ml_collections
from jaxtyping import Array, Float, Int

from astgan import checks, errors
from astgan.arrays import Images
from astgan.models import growing, resampling
from astgan.systems import interface, networks

SIZES = (8, 16, 32, 64, 128, 256, 512, 1024)
_PLAN = ("batch_sizes", "stable_steps", "fade_steps")


def phases(config: ml_collections.ConfigDict) -> tuple[interface.Phase, ...]:
  """One for each side from 4 to `data.size`."""
  growth, start, found = config.growth, 0, []
  sides = growing.sides_to(config.data.size)
  batch_sizes = (*growth.batch_sizes, config.train.batch_size)
  stable_steps = (*growth.stable_steps, 0)
  fade_steps = (0, *growth.fade_steps)
  for plan in zip(sides, batch_sizes, stable_steps, fade_steps, strict=True):
    side, batch_size, stable, fade = plan
    found.append(interface.Phase(start, side, batch_size))
    start += fade + stable
  return tuple(found)


def level_at(
  config: ml_collections.ConfigDict,
  phase: interface.Phase,
  step: Int[Array, ""],
) -> Float[Array, ""]:
  """The level of the networks (`models.growing`) in the update after `step`."""
  number = _number(phase)
  fade_steps = (0, *config.growth.fade_steps)[number]
  if not fade_steps:
    return jnp.float32(number)
  passed = (step - phase.start).astype(jnp.float32)
  return number - 1 + jnp.clip(passed / fade_steps, 0, 1)


def side_after(config: ml_collections.ConfigDict, step: int) -> int:
  """The side of the images in the update that led to `step`, in pixels."""
  begun = [x for x in phases(config) if x.start < max(step, 1)]
  return begun[-1].size


def reduce(images: Images, size: int) -> Float[Array, "b height width c"]:
  """Images of `size` pixels a side, by means over blocks of pixels."""
  while images.shape[1] > size:
    images = resampling.downsample(images)
  return images


def begin(
  config: ml_collections.ConfigDict,
  phase: interface.Phase,
  state: interface.TrainState,
) -> interface.TrainState:
  """The state with its level; optimisers are new in the first step of a size.

  Moments of gradients at one size say little about those at the next.
  """
  level = level_at(config, phase, state.step)
  is_first = state.step == phase.start
  renewed = {}
  for name, network in state.networks.items():
    opt_state = networks.make_optimizer(config[name]).init(network.params)
    renewed[name] = network.replace(
      collections=network.collections | {"growth": {"level": level}},
      opt_state=jax.tree.map(
        functools.partial(jnp.where, is_first), opt_state, network.opt_state
      ),
    )
  return state.replace(networks=renewed)


def blend(
  real_images: Images, phase: interface.Phase, level: Float[Array, ""]
) -> Images:
  """Real images as a discriminator at that level is to see them."""
  if not _number(phase):
    return real_images
  halves = resampling.upsample(resampling.downsample(real_images))
  return growing.fade(halves, real_images, level, _number(phase))


def check(config: ml_collections.ConfigDict) -> None:
  """Raises UserError if the phases do not lead to `data.size`."""
  checks.one_of(config, "data.size", SIZES)
  checks.fields(config, "growth", *_PLAN)
  size = config.data.size
  sides = growing.sides_to(size)
  for name in _PLAN:
    values = config.growth[name]
    low = 2 if name == "batch_sizes" else 0
    # A run folder's config has lists.
    if not isinstance(values, tuple | list) or not all(
      isinstance(value, int) and low <= value <= checks.LARGEST_INTEGER
      for value in values
    ):
      raise errors.UserError(
        f"config.growth.{name} holds integers from {low}; got {values!r}"
      )
    if len(values) != len(sides) - 1:
      steps = ", ".join(f"{side} to {2 * side}" for side in sides[:-1])
      raise errors.UserError(
        f"config.growth.{name} leads from 4 to {4 * 2 ** len(values)} pixels,"
        f" and config.data.size is {size}; give {len(sides) - 1} numbers, for"
        f" {steps}"
      )
  last = phases(config)[-1].start
  if config.train.steps <= last:
    raise errors.UserError(
      f"config.train.steps={config.train.steps} ends before config.data.size="
      f"{size}, which begins after {last}; raise it or shorten config.growth"
    )


def _number(phase: interface.Phase) -> int:
  """Of the phase's side, from 0 for 4x4."""
  return len(growing.sides_to(phase.size)) - 1
