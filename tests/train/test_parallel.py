"""Two devices against one, and the ways of a call against each other."""

import functools
import types

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from astgan.systems import gan
from astgan.train import parallel
from tests.train import tiny

IMAGES = tiny.draw_images(16)
# Four batches of four: indices, then bytes.
INDICES = np.arange(16, dtype=np.int32).reshape(4, 4)
BATCHES = IMAGES[INDICES]


@functools.cache
def make_system(**changes):
  return gan.GAN(tiny.make_config(**changes))


@functools.cache
def make_call(**changes):
  system = make_system(**changes)
  return parallel.make_call(system, system.config.data)


def make_state(**changes):
  """Another copy each time, since a call takes its memory."""
  return parallel.replicate(tiny.init(make_system(**changes).config))


def call(state, batches, images=None, turn="both", **changes):
  return make_call(**changes)(
    state,
    None,
    None if images is None else {"paintings": images},
    {"paintings": parallel.shard(batches)},
    np.zeros(len(batches), np.int32),
    make_system(**changes).phases[0],
    turn,
  )


@functools.cache
def four_on_two_devices():
  """State and scalars of each update, after one call per batch."""
  state, scalars = make_state(), []
  for batch in BATCHES:
    state, values = call(state, batch[None])
    scalars.append(values)
  return state, jax.tree.map(lambda *x: np.concatenate(x), *scalars)


@functools.cache
def one_on_two_devices(**changes):
  return call(make_state(**changes), BATCHES[:1], **changes)


@functools.cache
def compile_update():
  system = make_system()
  return jax.jit(
    functools.partial(
      system.update, phase=system.phases[0], turn="both", axis_name=None
    )
  )


def draws_of(state, examples):
  """The draws of these places in the batch."""
  keys, _ = parallel.turn_keys(state.key, state.step, 0, jnp.array(examples))
  system = make_system()
  return parallel.draw(system, keys, phase=system.phases[0])


def test_two_devices_do_what_one_does():
  state, scalars = tiny.init(make_system().config), []
  for batch in BATCHES:
    images = jnp.asarray(batch / np.float32(127.5) - 1)
    state, values = compile_update()(
      state, {"paintings": images}, draws_of(state, (0, 1, 2, 3)), None
    )
    scalars.append(values)
  # Adam divides a gradient by its own size, so a rounding error counts where
  # the gradient is next to nothing: 1e-4 of the largest of each leaf.
  actual, reported = four_on_two_devices()
  tiny.assert_close(actual, state, rtol=1e-4)
  expected = jax.tree.map(lambda *x: np.stack(x), *scalars)
  tiny.assert_close(reported, expected, rtol=1e-5)


def distance(one, other):
  """Between two states' gradients of the generator, relative to their length.

  Adam's first moment holds the gradients.
  """
  one, other = (
    np.concatenate(
      [np.ravel(x) for x in jax.tree.leaves(
        state.networks["generator"].opt_state[0].mu
      )]
    )
    for state in (one, other)
  )  # fmt: skip
  return np.linalg.norm(one - other) / np.linalg.norm(other)


def test_per_device_statistics_are_not_those_of_the_whole_batch():
  separate, _ = one_on_two_devices(model__batch_norm="per_device")
  assert distance(separate, one_on_two_devices()[0]) > 0.05


def test_the_devices_draw_different_latents():
  # The first device's latents on both would give other gradients.
  old = tiny.init(make_system().config)
  images = jnp.asarray(BATCHES[0] / np.float32(127.5) - 1)
  repeated, _ = compile_update()(
    old, {"paintings": images}, draws_of(old, (0, 1, 0, 1)), None
  )
  assert distance(one_on_two_devices()[0], repeated) > 0.05


@pytest.mark.parametrize(
  "changes",
  [
    {"train__ema_decay": 0.9},
    {"model__batch_norm": "per_device"},
    {
      "model__discriminator_norm": "none",
      "model__spectral_norm": "both",
      "loss__penalty": "gradient",
      "diff_augment__policy": ("translation",),
    },
  ],
)
def test_nothing_that_comes_back_is_one_device_s_own(changes):
  system = make_system(**changes)
  phase = system.phases[0]

  def step(state, images):
    examples = 2 * jax.lax.axis_index("devices") + jnp.arange(2)
    keys, _ = parallel.turn_keys(state.key, 0, 0, examples)
    draws = parallel.draw(system, keys, phase=phase)
    return system.update(
      state, {"paintings": images}, draws, None,
      phase=phase, turn=system.turns(0, phase)[0], axis_name="devices",
    )  # fmt: skip

  mapped = jax.pmap(step, axis_name="devices", in_axes=(None, 0), out_axes=0)
  images = BATCHES[0].reshape(2, 2, 32, 32, 3) / np.float32(127.5) - 1
  both = mapped(tiny.init(system.config), images)
  first, second = (jax.tree.map(lambda x, d=d: x[d], both) for d in range(2))
  tiny.assert_equal(first, second)


def test_one_call_of_four_updates_is_four_calls_of_one():
  state, scalars = call(make_state(), BATCHES)
  expected, expected_scalars = four_on_two_devices()
  assert {value.shape for value in scalars.values()} == {(4,)}
  tiny.assert_close(state, expected, rtol=1e-4)
  tiny.assert_close(scalars, expected_scalars, rtol=1e-5)


def test_images_on_the_devices_are_batches_from_the_host():
  images = parallel.replicate(IMAGES)
  state, scalars = call(make_state(), INDICES[:1], images)
  expected, expected_scalars = one_on_two_devices()
  tiny.assert_close(state, expected, rtol=1e-5)
  tiny.assert_close(scalars, expected_scalars, rtol=1e-6)


def test_a_call_takes_the_memory_of_the_state():
  state = make_state()
  call(state, BATCHES[:1])
  assert all(leaf.is_deleted() for leaf in jax.tree.leaves(state))


def test_images_are_cropped_mirrored_scaled_and_reduced():
  data = tiny.make_config(data__crop="random", data__flip=True).data
  keys = jax.random.split(jax.random.key(0), 64)
  batch = {"paintings": jnp.asarray(tiny.draw_images(64, 36))}
  (whole,) = parallel.prepare(keys, batch, data, size=32).values()
  (half,) = parallel.prepare(keys, batch, data, size=16).values()
  tiny.assert_close(
    half, whole.reshape(64, 16, 2, 16, 2, 3).mean((2, 4)), rtol=1e-5
  )
  found = set()
  for image, prepared in zip(batch["paintings"], whole, strict=True):
    windows = {
      (row, column, mirrored): image[row : row + 32, column : column + 32][
        :, :: -1 if mirrored else 1
      ]
      for row in range(5)
      for column in range(5)
      for mirrored in (False, True)
    }
    # Each is exactly one window of its image, in [-1, 1].
    (match,) = [
      place
      for place, window in windows.items()
      if np.array_equal(np.rint((prepared + 1) * 127.5), window)
    ]
    found.add(match)
  assert {mirrored for _, _, mirrored in found} == {False, True}
  assert len({place[:2] for place in found}) > 15


def test_keys_differ_by_use_example_turn_and_step():
  key = tiny.init(make_system().config).key
  keys = {
    tuple(np.asarray(jax.random.key_data(one)).tolist())
    for step in range(2)
    for number in range(2)
    for use in parallel.turn_keys(key, step, number, jnp.arange(2))
    for one in use
  }
  assert len(keys) == 16


def test_each_device_gets_its_share_of_every_batch():
  # Two batches of four, [0 1 2 3] and [4 5 6 7], over two devices.
  shares = parallel.shard(np.arange(8).reshape(2, 4))
  expected = np.array([[[0, 1], [4, 5]], [[2, 3], [6, 7]]])
  np.testing.assert_array_equal(shares, expected, strict=True)


@pytest.mark.parametrize(
  ("backend", "limit", "expected"),
  [
    ("cpu", 10**9, False),
    ("gpu", 4001, True),
    ("gpu", 4000, False),
    ("gpu", None, False),
  ],
)
def test_images_lie_on_accelerators_with_four_times_their_room(
  monkeypatch, backend, limit, expected
):
  statistics = None if limit is None else {"bytes_limit": limit}
  device = types.SimpleNamespace(memory_stats=lambda: statistics)
  monkeypatch.setattr(jax, "local_devices", lambda: [device])
  monkeypatch.setattr(jax, "default_backend", lambda: backend)
  assert parallel.fits({"paintings": np.zeros(1000, np.uint8)}) is expected


@pytest.mark.parametrize(
  ("backend", "asked", "sample_every", "save_every", "expected"),
  [
    ("cpu", 0, 500, 500, 1),
    # The largest divisor up to 32.
    ("gpu", 0, 500, 500, 25),
    ("gpu", 0, 64, 96, 32),
    ("gpu", 0, 7, 10, 1),
    ("cpu", 10, 500, 500, 10),
  ],
)
def test_steps_per_call_suit_the_devices_and_the_periods(
  monkeypatch, backend, asked, sample_every, save_every, expected
):
  monkeypatch.setattr(jax, "default_backend", lambda: backend)
  config = tiny.make_config(
    train__steps_per_call=asked,
    train__sample_every=sample_every,
    train__save_every=save_every,
  )
  assert parallel.steps_per_call(config) == expected
