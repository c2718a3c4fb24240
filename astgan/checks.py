"""Fields of a config, checked by name before anything slow happens."""

import math
import numbers
from collections.abc import Collection, Mapping, Sequence

import ml_collections
import numpy as np

from astgan import errors

# Steps and sizes are int32 on the devices.
LARGEST_INTEGER = 2**31 - 1


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
  values = field(config, section)
  if not isinstance(values, Mapping | ml_collections.ConfigDict):
    raise errors.UserError(f"config.{section} is a section; got {values!r}")
  found = set(values)
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
  # A run folder's config has lists.
  if not (
    isinstance(values, tuple | list)
    and all(list(values).count(value) == 1 for value in values)
    and all(value in choices for value in values)
  ):
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

  A float is compared as the float32 that the devices make of it.

  Args:
    config: the whole config.
    name: dotted name of a field that holds a number.
    low, high: the bounds. A number that is not finite is never within; an
      integer is at most `LARGEST_INTEGER`.
    open_low, open_high: whether the bound itself is out of bounds.
  """
  value = field(config, name)
  if isinstance(value, bool) or not isinstance(value, int | float):
    raise errors.UserError(f"config.{name} is a number; got {value!r}")
  if isinstance(value, int):
    high = min(high, LARGEST_INTEGER)
    number, bottom, top = value, low, high
  else:
    with np.errstate(over="ignore", under="ignore"):
      number, bottom, top = np.float32([value, low, high])
  above = number > bottom if open_low else number >= bottom
  below = number < top if open_high else number <= top
  if not (math.isfinite(number) and above and below):
    bounds = f"{'above' if open_low else 'at least'} {low}"
    if high == math.inf:
      bounds += " and finite"
    else:
      bounds += f" and {'below' if open_high else 'at most'} {high}"
    if isinstance(value, float):
      bounds += " in float32"
    raise errors.UserError(f"config.{name} is {bounds}; got {value}")


def filled(config: ml_collections.ConfigDict, name: str) -> None:
  """Raises UserError if the field is an empty string."""
  if not field(config, name):
    raise errors.UserError(f"config.{name} is empty; give it a value")


def weights(
  config: ml_collections.ConfigDict, name: str, count: int, what: str
) -> None:
  """Raises UserError unless the field weighs each of them; () is 1 for all."""
  are_weights(field(config, name), name, count, what)


def are_weights(
  values: Sequence[object], name: str, count: int, what: str
) -> None:
  """The same of values of a field.

  Args:
    values: of the weights.
    name: dotted name of the field.
    count: of what they weigh.
    what: they weigh, such as "style layers".
  """
  if len(values) not in (0, count):
    raise errors.UserError(
      f"{name} has {len(values)} weights for {count} {what}; give one for each,"
      " or () for 1"
    )
  if not all(_is_weight(value) for value in values):
    raise errors.UserError(
      f"{name} are finite numbers of at least 0; got {values}"
    )
  if values and not any(values):
    raise errors.UserError(f"{name} are 0 for all {what}; weigh one")


def _is_weight(value):
  number = isinstance(value, numbers.Real) and not isinstance(value, bool)
  return number and math.isfinite(value) and value >= 0
