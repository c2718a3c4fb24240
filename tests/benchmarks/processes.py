"""Every system in two processes, and on one device, against two devices.

  python -m tests.benchmarks.processes [--pages dcgan wgan_gp ...]

Tiny trainings of two updates on CPUs, through the front door, with the same
images and chance. A line of JSON for each page: how far the parameters and the
moments of the optimisers are from those of one process of two devices, as the
norm of the difference over the norm; 0 is bit for bit.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile

from astgan.data import images
from tests import pages, pictures
from tests.train import tiny

PAGES = (
  *("dcgan", "wgan_gp", "vaegan", "cyclegan", "fewshot", "progan", "stylegan"),
  *("johnson", "adain", "wct", "style_swap", "stvae", "superres"),
)


def train(
  name: str, folder: pathlib.Path, *, processes: int, devices: int
) -> dict:
  """The last checkpoint of a tiny training."""
  workdir = folder / f"{name}_{processes}_{devices}"
  fields = pages.tiny_training(name, folder / "style.png")
  fields |= {"data.cache": folder / "cache", "compile_cache": folder / "xla"}
  flags = [f"--config.{field}={value}" for field, value in fields.items()]
  flags += [f"--config=configs/{name}.py", f"--workdir={workdir}"]
  command = [sys.executable, "-m", "astgan.main"]
  if processes > 1:
    command = ["bash", "launch/multiprocess.sh", str(processes)]
  done = subprocess.run(
    [*command, *flags],
    cwd=pages.ROOT,
    env=os.environ
    | {
      "PYTHON": sys.executable,
      "JAX_PLATFORMS": "cpu",
      "PJRT_NPROC": "8",
      "XLA_FLAGS": f"--xla_force_host_platform_device_count={devices}",
    },
    capture_output=True,
    text=True,
  )
  assert done.returncode == 0, done.stderr[-2000:]
  return tiny.read_checkpoint(workdir, fields["train.steps"])


def main() -> None:
  parser = argparse.ArgumentParser(description=__doc__)
  parser.add_argument("--pages", nargs="+", default=PAGES)
  options = parser.parse_args()
  with tempfile.TemporaryDirectory() as folder:
    folder = pathlib.Path(folder)
    images.write(folder / "style.png", pictures.noise(32, 40))
    for name in options.pages:
      expected = train(name, folder, processes=1, devices=2)
      found = {}
      for told, count in (("processes", 2), ("one_device", 1)):
        saved = train(name, folder, processes=count, devices=1)
        for kind in ("params", "opt_state"):
          found[f"{told}_{kind}"] = tiny.distance(
            *(tiny.parts(x, kind) for x in (saved, expected))
          )
      print(json.dumps({"page": name, **found}), flush=True)


if __name__ == "__main__":
  main()
