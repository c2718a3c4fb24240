"""What the README says is so."""

import pathlib
import re

ROOT = pathlib.Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def test_the_example_of_importing_losses_runs_and_gives_one_value_each(capsys):
  (example,) = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
  exec(compile(example, "README.md", "exec"), {})
  assert capsys.readouterr().out == "(2,) (2,) (1,)\n"


def test_every_config_stands_in_the_table():
  configs = {path.name for path in (ROOT / "configs").glob("*.py")}
  named = set(re.findall(r"`(\w+\.py)`", README))
  assert configs - {"__init__.py", "common.py"} <= named


def test_every_file_that_is_named_exists():
  names = re.findall(r"(?:configs|launch|docs)/[\w.]+", README)
  assert names
  missing = [name for name in names if not (ROOT / name).exists()]
  assert not missing
