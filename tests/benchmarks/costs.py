"""What an update of each system costs: FLOP, state, communication.

  python -m tests.benchmarks.costs [PAGE ...]

FLOP are XLA's count of the traced update (`Lowered.cost_analysis`), averaged
over the turns of a period; bytes sent are the operands of all means over
devices, counted in the same program. Nothing is compiled or computed. A table
in Markdown, one row a page.
"""

import argparse
import functools
import math
from unittest import mock

import jax
import jax.numpy as jnp
import numpy as np

from astgan import pages
from astgan.models import winograd
from astgan.systems import registry
from astgan.train import loader
from tests.benchmarks import train

PAGES = (
  "dcgan",
  "wgan_gp",
  "vaegan",
  "cyclegan",
  "fewshot",
  "stylegan",
  "progan",
  "johnson",
  "adain",
  "wct",
  "style_swap",
  "stvae",
  "superres",
)
# Steps over which lazy penalties are averaged.
PERIOD = 16

# What is assumed of an accelerator such as an H100: FLOP per second that small
# convolutions reach; then, among 8 in a host and among 512 in 64 hosts, bytes
# per second that an all-reduce moves, and the seconds that one takes at least.
RATE = 60e12
LINKS = {8: (300e9, 15e-6), 512: (40e9, 60e-6)}


def communicated(jaxpr) -> np.ndarray:
  """Bytes and number of all sums over devices, in and below a jaxpr."""
  total = np.zeros(2)
  for equation in jaxpr.eqns:
    if equation.primitive.name.startswith(("psum", "all_reduce", "pmax")):
      shapes = [x.aval for x in equation.invars]
      size = sum(math.prod(x.shape) * x.dtype.itemsize for x in shapes)
      total += np.array([size, 1])
    for value in jax.tree.leaves(
      list(equation.params.values()),
      is_leaf=lambda x: hasattr(x, "eqns") or hasattr(x, "jaxpr"),
    ):
      inner = getattr(value, "jaxpr", value)
      if hasattr(inner, "eqns"):
        total += communicated(inner)
  return total


def costs(page: str) -> dict[str, float]:
  """FLOP and bytes of a step of a page, for its whole batch."""
  config, _ = pages.read([f"--config=configs/{page}.py"])
  if config.data.get("photographs") == "":
    config.data.photographs = "landscapes"
  if "features" in config:
    config.features.weights = "random"
  if "style" in config:
    config.style.source = train.style_image()
  system = registry.make(config)
  state = jax.eval_shape(system.init, jax.random.key(0))
  frozen = system.load_frozen()
  flops, sent = 0.0, np.zeros(2)
  last = system.phases[-1].start
  for step in range(last, last + PERIOD):
    phase = loader.phase_at(system.phases, step)
    for turn in system.turns(step, phase):
      turn_flops, turn_sent = _turn(system, state, frozen, phase, turn)
      flops += turn_flops / PERIOD
      sent += turn_sent / PERIOD
  count = sum(
    math.prod(x.shape)
    for network in state.networks.values()
    for x in jax.tree.leaves(network.params)
  )
  leaves = jax.tree.leaves(state)
  return {
    "size": phase.size,
    "batch": phase.batch_size,
    "parameters": count,
    "state": sum(math.prod(x.shape) * x.dtype.itemsize for x in leaves),
    "flops": flops,
    "sent": sent[0],
    "sums": sent[1],
  }


def efficiency(cost: dict[str, float], devices: int) -> float:
  """Of so many devices, each with the page's batch, without any overlap."""
  bandwidth, latency = LINKS[devices]
  computing = cost["flops"] / RATE
  moved = 2 * (devices - 1) / devices * cost["sent"]
  sending = moved / bandwidth + cost["sums"] * latency
  return computing / (computing + sending)


_CACHE = {}


def _turn(system, state, frozen, phase, turn) -> tuple[float, np.ndarray]:
  known = (system, phase, turn)
  if known in _CACHE:
    return _CACHE[known]
  b = phase.batch_size
  image = jax.ShapeDtypeStruct((b, phase.size, phase.size, 3), jnp.float32)
  batch = dict.fromkeys(system.sources, image)
  draws = jax.eval_shape(
    lambda key: system.draw(key, b, phase=phase), jax.random.key(0)
  )
  update = functools.partial(system.update, phase=phase, turn=turn)
  alone = jax.jit(functools.partial(update, axis_name=None))
  cost = alone.lower(state, batch, draws, frozen).cost_analysis()
  mapped = jax.pmap(
    functools.partial(update, axis_name="devices"),
    axis_name="devices",
    in_axes=(None, 0, 0, None),
    devices=jax.devices()[:1],
  )
  add = functools.partial(
    jax.tree.map, lambda x: jax.ShapeDtypeStruct((1, *x.shape), x.dtype)
  )
  jaxpr = jax.make_jaxpr(mapped)(state, add(batch), add(draws), frozen)
  _CACHE[known] = cost["flops"], communicated(jaxpr.jaxpr)
  return _CACHE[known]


def main() -> None:
  parser = argparse.ArgumentParser(description=__doc__)
  parser.add_argument("pages", nargs="*", default=PAGES)
  names = ["page", "pixels", "batch", "parameters", "state"]
  names += ["GFLOP an image and step", "sent a step", "sums a step"]
  names += [f"{devices} devices" for devices in LINKS]
  print(f"| {' | '.join(names)} |\n{'|---' * len(names)}|")
  for page in parser.parse_args().pages:
    with mock.patch.object(winograd, "suits", lambda pixels, kernel: False):
      c = costs(page)
    cells = [f"`{page}`", c["size"], c["batch"]]
    cells += [f"{c['parameters'] / 1e6:.2f} M", f"{c['state'] / 1e6:.0f} MB"]
    cells += [f"{c['flops'] / c['batch'] / 1e9:.2f}"]
    cells += [f"{c['sent'] / 1e6:.1f} MB", f"{c['sums']:.0f}"]
    cells += [f"{efficiency(c, devices):.2f}" for devices in LINKS]
    print(f"| {' | '.join(map(str, cells))} |", flush=True)


if __name__ == "__main__":
  main()
