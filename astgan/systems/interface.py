"""What a system is to the loop: its state, its update and what it shows.

The loop, the loader, the checkpoints and the devices know a system by this
interface only. A new one is a file in this folder, a line in `registry` and a
page in configs/.
"""

import functools
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol, runtime_checkable

import flax
import jax
import jax.numpy as jnp
from jaxtyping import PyTree

from astgan.arrays import Images
from astgan.systems import generators, painters, upscalers

Scalars = dict[str, jax.Array]
# What a training gives away: latents to images, photographs to paintings by a
# style of its own or by one that it is told, or small images to large ones.
Sampler = (
  generators.Generator
  | painters.Painter
  | painters.StylePainter
  | upscalers.Upscaler
)


class NetworkState(flax.struct.PyTreeNode):
  """One network: parameters, other variables and optimiser state.

  Attributes:
    params: the trained parameters.
    collections: further Flax collections that an application may change, such
      as `batch_stats`; empty for a network that has none.
    opt_state: of the network's own optimiser.
  """

  # Typed as trees: JAX's transformations put shapes, host arrays and the like
  # in the places of arrays.
  params: PyTree
  collections: dict[str, PyTree]
  opt_state: PyTree

  @property
  def variables(self) -> dict[str, PyTree]:
    """What `module.apply` takes."""
    return {"params": self.params, **self.collections}


class TrainState(flax.struct.PyTreeNode):
  """All that a training carries from one step to the next: arrays only.

  Attributes:
    step: completed generator updates, int32.
    key: raw key data of the run; it never changes, every step folds its number
      into it.
    networks: by name.
    ema: exponential moving averages of parameters by network; {} keeps none.
    extra: further arrays, such as an image pool.
    learning_rate_scale: factor on the updates of all optimisers, float32; the
      loop sets it, below 1 after a roll-back.
  """

  step: PyTree
  key: PyTree
  networks: dict[str, NetworkState]
  ema: dict[str, PyTree]
  extra: PyTree = None
  learning_rate_scale: PyTree = flax.struct.field(
    default_factory=functools.partial(jnp.ones, ())
  )


class Phase(NamedTuple):
  """Consecutive steps of one image size and batch size.

  Attributes:
    start: the first step.
    size: side of the images that the update is given, in pixels.
    batch_size: images of each source per batch, over all devices together.
    batches_per_step: batches that one step takes from each source.
  """

  start: int
  size: int
  batch_size: int
  batches_per_step: int = 1


@runtime_checkable
class System(Protocol):
  """A trainable system, made from a config by `registry.make`.

  A system may have methods: `histograms(state, frozen, sheets, batch)`, arrays
  by name, whose distributions TensorBoard shows beside what `samples` returned;
  `style_fingerprint()`, by which a run knows `style.source` again; `section_of`
  a network, its optimiser's, else the end of its name; attributes: `donors`,
  systems whose runs it may start from; `feature_nets`, names of networks that
  its losses see; `margin_scale`, a factor on `detectors.logit_margin`, else 1.

  Attributes:
    phases: at least one, by ascending start; the first starts at 0.
    sources: names of the image sources that a batch is drawn from; the first
      is `data.source`.
    fewest_examples: that a device needs of a batch; batch normalisation needs
      2.
  """

  phases: tuple[Phase, ...]
  sources: tuple[str, ...]
  fewest_examples: int

  def init(self, key: jax.Array) -> TrainState:
    """The state before the first step. Pure, so that it can be traced."""

  def load_frozen(self) -> PyTree:
    """Parameters that are never trained nor saved; None where there are none.

    They are replicated over the devices.
    """

  def turns(self, step: int, phase: Phase) -> tuple[str, ...]:
    """Names of the updates that make up a step, one per batch.

    A program is compiled for every name. Names are static, so that a lazy
    penalty needs no `lax.cond`, in which CPUs run convolutions slowly. By the
    last one, which occurs once in a step, an update knows that it ends it.
    """

  def draw(self, key: jax.Array, count: int, *, phase: Phase) -> PyTree:
    """All chance of `count` examples of an update, which every leaf has first.

    Latents, augmentation, weights. In a training each example is drawn alone,
    by a key of its own, so that chance does not depend on the devices.
    """

  def update(
    self,
    state: TrainState,
    batch: Mapping[str, Images],
    draws: PyTree,
    frozen: PyTree,
    *,
    phase: Phase,
    turn: str,
    axis_name: str | None,
  ) -> tuple[TrainState, Scalars]:
    """The state after one turn, and scalars of it. Pure and deterministic.

    The last turn of a step adds 1 to `state.step`. Gradients, collections and
    scalars are averaged over `axis_name` where it is not None.

    Args:
      batch: images in [-1, 1] of each source, this device's share.
      draws: from `draw`.
      frozen: from `load_frozen`.
      phase, turn, axis_name: static.
    """

  def samples(
    self, state: TrainState, frozen: PyTree, batch: Mapping[str, Images]
  ) -> dict[str, Images]:
    """Contact sheets by name, images in [-1, 1]; the first is the main one.

    Args:
      state: the current state.
      frozen: from `load_frozen`.
      batch: fixed real images of each source, the same at every call, as many
        as a contact sheet shows.
    """

  def sampler(self, state: TrainState) -> Sampler:
    """What the training gives away."""


def ask_sampler(system: System, question: Callable[[Sampler], Any]) -> Any:
  """What `question`, such as `kind`, says of what a training gives away."""
  found = []

  def look(key: jax.Array) -> None:
    found.append(question(system.sampler(system.init(key))))

  # Nothing is computed.
  jax.eval_shape(look, jax.random.key(0))
  return found[0]


def kind(sampler: Sampler) -> str:
  """`generator`, `painter`, `told painter` (its style) or `upscaler`."""
  match sampler:
    case generators.Generator():
      return "generator"
    case upscalers.Upscaler():
      return "upscaler"
    case painters.StylePainter():
      return "told painter"
  return "painter"
