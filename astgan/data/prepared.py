"""Data sets that tensorflow_datasets has prepared, read without TensorFlow.

Their names are `NAME[/CONFIG][:SPLIT][:FIELD=VALUE,...]`. A selection keeps the
examples whose fields have those values: `artist=claude-monet|alfred-sisley,
genre=landscape` are the landscapes of either painter.
"""

import pathlib
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from astgan import errors
from astgan.data import images

# A selection has `=`, which no split has; a split may have colons.
_PLACE = re.compile(r"([^:=]+)(?::([^=]+?))??(?::([^:]+=.*))?")

Selection = dict[str, tuple[str, ...]]


class Prepared(NamedTuple):
  """The selected images of a split by number.

  Attributes:
    labels: one name per image.
    read: the image of a number; UserError if it is damaged.
    files: what the data set consists of on disk.
  """

  labels: Sequence[str]
  read: Callable[[int], images.Pixels]
  files: Sequence[pathlib.Path]


def open_split(place: str, said: str, *, side: int) -> Prepared:
  """A split, or a selection of it.

  The data set lies in TFDS_DATA_DIR or ~/tensorflow_datasets, in a format with
  random access or as tfrecord files, whose lengths are read at the beginning. A
  selection reads every example once.

  Args:
    place: the name.
    said: the field and its value, for errors.
    side: as `images.read` has it.

  Raises:
    UserError: the name is none; the data set is not prepared, has no images or
      no such field; or no example is selected.
  """
  name, split, selection = _parse(place, said)
  examples = _open(name, split, said)
  info = examples.dataset_info
  numbers = range(len(examples))
  if selection:
    numbers = _select(examples, selection, said)
  labels = [f"{place} {number}" for number in numbers]

  def read(index: int) -> images.Pixels:
    encoded = examples[numbers[index]]["image"]
    return images.read(labels[index], encoded, side=side)

  files = sorted(pathlib.Path(info.data_dir).iterdir())
  return Prepared(labels, read, files)


def _parse(place: str, said: str) -> tuple[str, str, Selection]:
  found = _PLACE.fullmatch(place)
  pairs = [
    pair.partition("=")[::2]
    for pair in ((found and found[3]) or "").split(",")
    if pair
  ]
  if not found or not all(field and values for field, values in pairs):
    raise errors.UserError(
      f"{said}: is no data set; it is"
      " tfds:NAME[/CONFIG][:SPLIT][:FIELD=VALUE|VALUE,FIELD=VALUE]"
    )
  selection = {field: tuple(values.split("|")) for field, values in pairs}
  return found[1], found[2] or "train", selection


def _open(name: str, split: str, said: str) -> Sequence[Mapping[str, Any]]:
  """The examples, their images as encoded bytes."""
  try:
    import tensorflow_datasets as tfds
  except ImportError as error:
    raise errors.UserError(
      f"{said}: tensorflow_datasets is missing; "
      "pip install -e '.[tfds]' in the checkout"
    ) from error
  from astgan.data import tfrecord

  encoded = {"image": tfds.decode.SkipDecoding()}
  try:
    builder = tfds.builder(name)
    if builder.is_prepared() and _are_tfrecords(builder.info):
      examples = tfrecord.open_split(builder.info, split, encoded)
    else:
      examples = tfds.data_source(
        name, split=split, decoders=encoded, download=False
      )
  except Exception as error:  # The type depends on what is missing.
    line = str(error).strip().partition("\n")[0].rstrip(".")
    reason = line or type(error).__name__
    raise errors.UserError(
      f"{said}: is not prepared here ({reason}); {_how_to_prepare(name)}, then"
      " set TFDS_DATA_DIR to its folder"
    ) from error
  features = examples.dataset_info.features
  feature = dict(features.items()).get("image")
  if not isinstance(feature, tfds.features.Image):
    raise errors.UserError(
      f"{said}: has no feature `image` of images (it has "
      f"{', '.join(features)}); choose a data set of images"
    )
  return examples


def _how_to_prepare(name: str) -> str:
  if name.partition("/")[0] == "wikiart_landscapes":
    return "run `python -m astgan.data.wikiart_landscapes WIKIART`"
  return f"where TensorFlow is installed run `tfds build {name}`"


def _are_tfrecords(info: Any) -> bool:
  """Whether a data set has no files but those."""
  return {form.value for form in info.available_file_formats()} == {"tfrecord"}


def _select(
  examples: Sequence[Mapping[str, Any]], selection: Selection, said: str
) -> list[int]:
  """The numbers of the examples with the selected values."""
  features = examples.dataset_info.features
  for field in selection:
    if field not in features or field == "image":
      known = ", ".join(name for name in features if name != "image")
      raise errors.UserError(
        f"{said}: there is no field {field}; it has {known or 'none'}"
      )
  numbers, seen = [], {field: set() for field in selection}
  for number in range(len(examples)):
    example = examples[number]
    values = {
      field: _text(features[field], example[field]) for field in selection
    }
    for field, value in values.items():
      seen[field].add(value)
    if all(values[field] in selection[field] for field in selection):
      numbers.append(number)
  if not numbers:
    absent = [f for f in selection if not seen[f].intersection(selection[f])]
    there = (
      f"; {absent[0]} is {_few(sorted(seen[absent[0]]))}" if absent else ""
    )
    raise errors.UserError(f"{said}: selects none of its examples{there}")
  return numbers


def _text(feature: Any, value: Any) -> str:
  """A value as a name: that of its class, where it is the number of one."""
  if hasattr(feature, "int2str"):
    return feature.int2str(int(value))
  return value.decode() if isinstance(value, bytes) else str(value)


def _few(values: Sequence[str], most: int = 8) -> str:
  listed = ", ".join(values[:most])
  return listed if len(values) <= most else f"{listed}, ..."
