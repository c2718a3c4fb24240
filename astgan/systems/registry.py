"""The systems by the name that `config.system` gives."""

from collections.abc import Callable

import ml_collections

from astgan import checks
from astgan.systems import cyclegan, fewshot, gan, interface, stylegan, vaegan

SYSTEMS: dict[str, Callable[[ml_collections.ConfigDict], interface.System]] = {
  "cyclegan": cyclegan.CycleGAN,
  "fewshot": fewshot.FewShot,
  "gan": gan.GAN,
  "stylegan": stylegan.StyleGAN,
  "vaegan": vaegan.VAEGAN,
}


def make(config: ml_collections.ConfigDict) -> interface.System:
  """The system of a training config, its fields checked.

  Raises:
    UserError: no such system, or a field that cannot be.
  """
  checks.one_of(config, "system", tuple(SYSTEMS))
  return SYSTEMS[config.system](config)
