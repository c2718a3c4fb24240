"""Which alarms the rules of today give on runs of any day.

  python -m tests.benchmarks.detectors RUN ...

replays the lines of each run folder as its training would have looked at them,
with the thresholds of its own config. One line each: its loss, its updates, and
every rule with the steps at which it began to hold.
"""

import argparse
import logging
import pathlib

from astgan import history, runs, writer
from astgan.systems import registry
from astgan.train import failures


def alarms(workdir: pathlib.Path) -> dict[str, list[int]]:
  """The steps at which each rule begins to hold, by the name of the rule."""
  config = runs.read_config(workdir)
  system = registry.make(config)
  watch = failures.Watch(
    config, (), margin_scale=getattr(system, "margin_scale", 1.0)
  )
  found = []
  for line in writer.read(workdir):
    found += watch.see(line)
  return history.alarms(found)


def main() -> None:
  parser = argparse.ArgumentParser(description=__doc__)
  parser.add_argument("runs", nargs="+", type=pathlib.Path, metavar="RUN")
  logging.disable(logging.WARNING)
  for workdir in parser.parse_args().runs:
    config, lines = runs.read_config(workdir), writer.read(workdir)
    steps = max((line["step"] for line in lines), default=0)
    loss = config.get("loss", {}).get("name", "")
    said = [f"{rule} {at}" for rule, at in alarms(workdir).items()]
    print(
      f"{workdir}: {config.system} {loss}, {steps} updates:"
      f" {', '.join(said) or 'no alarm'}"
    )


if __name__ == "__main__":
  main()
