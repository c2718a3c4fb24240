"""The systems by the name that `config.system` gives."""

from collections.abc import Callable

import ml_collections

from astgan import checks
from astgan.systems import (
  adain,
  cyclegan,
  fast,
  fewshot,
  gan,
  interface,
  stvae,
  style_swap,
  stylegan,
  superres,
  vaegan,
  wct,
)

SYSTEMS: dict[str, Callable[[ml_collections.ConfigDict], interface.System]] = {
  "adain": adain.AdaIN,
  "cyclegan": cyclegan.CycleGAN,
  # Its style may be drawn by the generator of another system.
  "fast": lambda config: fast.Fast(config, make),
  "fewshot": fewshot.FewShot,
  "gan": gan.GAN,
  "stvae": stvae.STVAE,
  "style_swap": style_swap.StyleSwap,
  "stylegan": stylegan.StyleGAN,
  "superres": superres.SuperRes,
  "vaegan": vaegan.VAEGAN,
  "wct": wct.WCT,
}


def make(config: ml_collections.ConfigDict) -> interface.System:
  """The system of a training config, its fields checked.

  Raises:
    UserError: no such system, or a field that cannot be.
  """
  checks.one_of(config, "system", tuple(SYSTEMS))
  return SYSTEMS[config.system](config)
