"""A system of one number, whose training can be worked out by hand.

  w <- w + (mean of the batch + mean of the draws) / 10

in each turn; its second phase has larger images, smaller batches, and two turns
a step, the first of which is called "half" and counts half.

  python -m tests.train.fake FOLDER CACHE STEP...

trains it into FOLDER/STEP in a process for each STEP, which is killed with
SIGKILL when STEP steps are completed.
"""

import os
import pathlib
import signal
import sys

import flax.linen as nn
import jax
import jax.numpy as jnp

from astgan.systems import devices, generators, interface, registry
from astgan.train import evaluators, loop
from configs import common

STEPS = 12


class Painter(nn.Module):
  """Images of one grey, which is the number."""

  @nn.compact
  def __call__(self, latents, *, train):
    w = self.param("w", nn.initializers.zeros, ())
    return jnp.tanh(w) * jnp.ones((len(latents), 16, 16, 3))


class Fake:
  """See above; `traced` lists the updates that were traced."""

  phases = (
    interface.Phase(0, size=8, batch_size=4),
    interface.Phase(6, size=16, batch_size=2, batches_per_step=2),
  )
  sources = ("paintings",)
  fewest_examples = 1

  def __init__(self, config):
    del config
    self.traced = []

  def init(self, key):
    params = {"w": jnp.zeros(())}
    return interface.TrainState(
      step=jnp.zeros((), jnp.int32),
      key=jax.random.key_data(key),
      networks={"number": interface.NetworkState(params, {}, ())},
      ema={},
      extra={"seen": jnp.zeros((), jnp.int32)},
    )

  def load_frozen(self):
    return jnp.float32(0.1)

  def turns(self, step, phase):
    return ("half",) * (phase.batches_per_step - 1) + ("whole",)

  def draw(self, key, count, *, phase):
    return jax.random.normal(key, (count,))

  def update(self, state, batch, draws, frozen, *, phase, turn, axis_name):
    self.traced.append((phase, turn))
    images = batch["paintings"]
    assert images.shape[1:] == (phase.size, phase.size, 3)
    signal = devices.mean_over(axis_name, jnp.mean(images) + jnp.mean(draws))
    factor = 0.5 if turn == "half" else 1.0
    factor *= state.learning_rate_scale
    w = state.networks["number"].params["w"] + factor * frozen * signal
    state = state.replace(
      step=state.step + int(turn == "whole"),
      networks={"number": interface.NetworkState({"w": w}, {}, ())},
      extra={"seen": state.extra["seen"] + 1},
    )
    return state, {"number/loss": w}

  def samples(self, state, frozen, batch):
    drawn = self.sampler(state).sample(jax.random.key(0), 4)
    return {"greys": drawn, "reals": batch["paintings"]}

  def sampler(self, state):
    params = state.networks["number"].params
    return generators.Generator(Painter(), {"params": params}, 3)


def make_config(cache, **changes):
  """A training of the fake system; changes by dotted name, `__` for `.`."""
  config = common.training("fake").lock()
  fields = {
    "compile_cache": "off",
    "data.size": 16,
    "data.count": 7,
    "data.cache": str(cache),
    "train.steps": STEPS,
    "train.batch_size": 4,
    "train.log_every": 2,
    "train.sample_every": 4,
    "train.save_every": 4,
    "train.evaluate_every": 0,
    "train.num_samples": 4,
    "train.max_to_keep": 9,
  }
  names = {name.replace("__", "."): value for name, value in changes.items()}
  config.update_from_flattened_dict(fields | names)
  return config


def number_of(state):
  """An evaluator's scalars."""
  return {"number/value": float(state.networks["number"].params["w"])}


class Failing(Fake):
  """The same, with a generator that dies after step 6 at the first rates."""

  # The scale of the learning rates at which the generator lives.
  cured_below = 0.6

  def update(self, state, *arguments, **options):
    new, scalars = super().update(state, *arguments, **options)
    ill = (state.step >= 6) & (state.learning_rate_scale >= self.cured_below)
    norm = jnp.where(ill, 0.0, 1.0)
    return new, scalars | {"generator/gradient_norm": norm}


def make_failing_config(cache, **changes):
  """A training of the failing system that finds the failure at step 11."""
  fields = {
    "train__steps": 16,
    "train__log_every": 1,
    "train__on_failure": "roll_back",
    "detectors__patience": 5,
  }
  return make_config(cache, **(fields | changes))


if __name__ == "__main__":
  registry.SYSTEMS["fake"] = Fake
  folder, cache, *steps = sys.argv[1:]
  for last in steps:
    # The imports are shared; JAX starts in the child.
    if child := os.fork():
      assert os.waitpid(child, 0) == (child, signal.SIGKILL)
      continue

    def kill(state, last=int(last)):
      if int(state.step) == last:
        os.kill(os.getpid(), signal.SIGKILL)
      return {}

    watch = evaluators.Evaluator(1, kill)
    workdir = pathlib.Path(folder, last)
    loop.train(make_config(cache), workdir, evaluators=(watch,))
    sys.exit("it was not killed")
