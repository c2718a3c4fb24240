"""Fields of a config, checked by name before anything slow happens."""

import math
from collections.abc import Collection

import ml_collections

from astgan import errors


def field(config: ml_collections.ConfigDict, name: str) -> object:
  """The value of a dotted name, or UserError naming the fields there are."""
  value, where = config, "config"
  for part in name.split("."):
    if not isinstance(value, ml_collections.ConfigDict) or part not in value:
      has = ", ".join(value) if hasattr(value, "keys") else "no fields"
      raise errors.UserError(f"{where} has no field {part}; it has {has}")
    value, where = value[part], f"{where}.{part}"
  return value


def one_of(
  config: ml_collections.ConfigDict, name: str, choices: Collection[object]
) -> None:
  """Raises UserError unless the field is one of the choices."""
  value = field(config, name)
  if value not in choices:
    words = ", ".join(map(str, choices))
    raise errors.UserError(f"config.{name} is one of {words}; got {value!r}")


def fields(
  config: ml_collections.ConfigDict, section: str, *names: str
) -> None:
  """Raises UserError unless the section has exactly these fields."""
  found = set(config.get(section, {}))
  has = f"config.{section} has {', '.join(sorted(names))}"
  for name in sorted(found - set(names)):
    raise errors.UserError(f"config.{section} has no field {name}; {has}")
  for name in sorted(set(names) - found):
    raise errors.UserError(f"config.{section}.{name} is missing; {has}")


def subset_of(
  config: ml_collections.ConfigDict, name: str, choices: Collection[object]
) -> None:
  """Raises UserError unless the field, a tuple, holds choices, each once."""
  values = field(config, name)
  if len(set(values)) < len(values) or not set(values) <= set(choices):
    words = ", ".join(map(str, choices))
    raise errors.UserError(
      f"config.{name} holds any of {words}, each once; got {values!r}"
    )


def within(
  config: ml_collections.ConfigDict,
  name: str,
  low: float,
  high: float = math.inf,
  *,
  open_low: bool = False,
  open_high: bool = False,
) -> None:
  """Raises UserError unless low <= field <= high.

  Args:
    config: the whole config.
    name: dotted name of a field that holds a number.
    low, high: the bounds; a number that is not finite is never within.
    open_low, open_high: whether the bound itself is out of bounds.
  """
  value = field(config, name)
  above = value > low if open_low else value >= low
  below = value < high if open_high else value <= high
  if not (math.isfinite(value) and above and below):
    bounds = f"{'above' if open_low else 'at least'} {low}"
    if high != math.inf:
      bounds += f" and {'below' if open_high else 'at most'} {high}"
    raise errors.UserError(f"config.{name} is {bounds}; got {value}")
