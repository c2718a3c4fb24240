"""What the README says is so."""

import functools
import pathlib
import re

import numpy as np

from astgan import nst
from astgan.features import weights
from astgan.nst import library, recipe

ROOT = pathlib.Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


PAINTING, LOSSES = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)


def test_the_example_of_importing_losses_runs_and_gives_one_value_each(capsys):
  exec(compile(LOSSES, "README.md", "exec"), {})
  assert capsys.readouterr().out == "(2,) (2,) (1,)\n"


def test_the_example_of_painting_arrays_paints(monkeypatch):
  # With an untrained network, and in two steps.
  load = functools.partial(weights.load, source="random")
  monkeypatch.setattr(library.weights, "load", load)
  small = recipe.make(size=64, coarsest=0, steps=2)
  monkeypatch.setattr(nst, "make", lambda *, size: small)
  draws = np.random.default_rng(0)
  names = {
    name: draws.uniform(size=(60, 80, 3)).astype("float32")
    for name in ("photograph", "starry_night")
  }
  names["monets"] = [names["starry_night"]] * 33
  exec(compile(PAINTING, "README.md", "exec"), names)
  assert names["painting"].shape == (48, 64, 3)


def test_every_config_stands_in_the_table():
  configs = {path.name for path in (ROOT / "configs").glob("*.py")}
  named = set(re.findall(r"`(\w+\.py)`", README))
  assert configs - {"__init__.py", "common.py"} <= named


def test_every_file_that_is_named_exists():
  names = re.findall(r"(?:configs|launch|docs)/[\w.]+", README)
  assert names
  missing = [name for name in names if not (ROOT / name).exists()]
  assert not missing
