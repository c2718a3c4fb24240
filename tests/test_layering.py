"""Imports go one way, and what few may do, few do."""

import ast
import functools
import pathlib
import re
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[1]
FILES = sorted((ROOT / "astgan").rglob("*.py"))

# The rooms, from the door down: a room's files import those of rooms below it
# and of their own.
FLOORS = (
  ("main",),
  ("sweep",),
  ("sample", "evaluate", "judge", "train", "nst"),
  ("sampling",),
  ("history", "writer", "pages", "systems"),
  ("checkpoints",),
  ("metrics",),
  ("features", "data"),
  ("models",),
  ("runs", "checks", "distributed", "memory", "messages", "stop", "trees"),
  ("losses",),
  ("arrays", "atomic", "digests", "errors", "locks"),
)


def room_of(module):
  """`astgan.losses.penalties` lies in `losses`."""
  return (module.split(".") + [""])[1]


def name_of(path):
  parts = path.relative_to(ROOT).with_suffix("").parts
  return ".".join(parts).removesuffix(".__init__")


@functools.cache
def parse(path):
  return ast.parse(path.read_text())


def imports_of(path):
  """All modules that a file imports anywhere, by their whole names."""
  modules = set()
  for node in ast.walk(parse(path)):
    if isinstance(node, ast.Import):
      modules |= {alias.name for alias in node.names}
    elif isinstance(node, ast.ImportFrom):
      assert not node.level, f"{path} imports relatively"
      # `from astgan import runs` imports astgan.runs.
      modules |= {f"{node.module}.{alias.name}" for alias in node.names}
  return modules


def rooms_imported(path):
  return {
    room_of(module)
    for module in imports_of(path)
    if module.split(".")[0] == "astgan"
  } - {""}


def users_of(*names):
  """The files in which one of the names is said."""
  return {
    name_of(path)
    for path in FILES
    for node in ast.walk(parse(path))
    if (isinstance(node, ast.Name) and node.id in names)
    or (isinstance(node, ast.Attribute) and node.attr in names)
    or (isinstance(node, ast.alias) and node.name.split(".")[-1] in names)
  }


def importers_of(*tops):
  """The files that import a package of these names."""
  return {
    name_of(path)
    for path in FILES
    if any(module.split(".")[0] in tops for module in imports_of(path))
  }


def floor_of(room):
  return next(i for i, rooms in enumerate(FLOORS) if room in rooms)


def test_every_room_has_its_floor():
  rooms = {room_of(name_of(path)) for path in FILES} - {"", "__init__"}
  assert rooms <= {room for floor in FLOORS for room in floor}


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_imports_go_down(path):
  room = room_of(name_of(path))
  if not room:
    return
  for other in rooms_imported(path) - {room}:
    assert floor_of(other) > floor_of(room), f"{room} imports {other}"


def test_training_and_painting_never_import_each_other():
  for path in FILES:
    room = room_of(name_of(path))
    if room in ("train", "nst"):
      assert not rooms_imported(path) & {"train", "nst"} - {room}


def test_losses_import_jax_and_the_words_for_shapes_only():
  allowed = {"astgan", "jax", "jaxtyping"} | sys.stdlib_module_names
  for path in (ROOT / "astgan" / "losses").glob("*.py"):
    assert rooms_imported(path) <= {"arrays"}
    assert {name.split(".")[0] for name in imports_of(path)} <= allowed


def test_the_loop_knows_systems_by_their_interface_only():
  for path in FILES:
    name = name_of(path)
    if room_of(name) == "train" or name == "astgan.checkpoints":
      systems = {
        module
        for module in imports_of(path)
        if module.startswith("astgan.systems.")
      }
      assert systems <= {
        "astgan.systems.interface", "astgan.systems.registry"
      }  # fmt: skip
      assert not {"gan", "vaegan", "cyclegan"} & set(
        re.findall(r"\w+", path.read_text().lower())
      )


def test_no_file_of_a_system_is_longer_than_200_lines():
  for path in (ROOT / "astgan" / "systems").glob("*.py"):
    assert len(path.read_text().splitlines()) <= 200, path


def test_the_landscapes_are_at_most_800_lines():
  files = (ROOT / "astgan" / "data" / "landscapes").glob("*.py")
  lines = [len(path.read_text().splitlines()) for path in files]
  assert 0 < sum(lines) <= 800


def test_only_programs_read_flags():
  readers = {
    name_of(path)
    for path in FILES
    if any(
      name.startswith(("absl.flags", "absl.app", "argparse"))
      or "config_flags" in name
      for name in imports_of(path)
    )
  }
  assert readers == {"astgan.pages", "astgan.data.wikiart_landscapes"}


def test_nothing_but_parallel_maps_over_devices():
  assert users_of("pmap", "shard_map") == {"astgan.train.parallel"}


def test_products_in_full_float32_are_asked_for_in_one_way():
  assert users_of("default_matmul_precision") == {"astgan.arrays"}


def test_only_weights_touch_the_network():
  users = importers_of("urllib", "requests", "http", "socket", "pooch")
  assert users <= {"astgan.features.weights"}


def test_only_weights_and_sweeps_start_processes():
  users = importers_of("subprocess")
  assert users == {"astgan.features.weights", "astgan.sweep.sweep"}


def test_only_checkpoints_know_how_states_are_stored():
  assert importers_of("orbax") == {"astgan.checkpoints"}


def test_no_file_is_called_utils():
  assert not [path for path in FILES if "util" in path.stem]


def test_configs_import_configs_only():
  for path in (ROOT / "configs").glob("*.py"):
    tops = {name.split(".")[0] for name in imports_of(path)}
    assert tops <= {"configs", "ml_collections"}, path
