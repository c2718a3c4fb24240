"""Two devices against one, and the ways of a call against each other."""

import functools
import types

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from astgan import arrays
from astgan.train import parallel, step
from tests.train import tiny

PICTURES = tiny.draw_pictures(32)
# Four batches of eight: indices, then bytes.
INDICES = np.arange(32, dtype=np.int32).reshape(4, 8)
BATCHES = PICTURES[INDICES]


@functools.cache
def make_call():
  return parallel.make_call(tiny.make_config())


@functools.cache
def compile_update():
  """The update on one device."""
  return jax.jit(step.make_update(tiny.make_config()))


@functools.cache
def create():
  return tiny.create(tiny.make_config())


def call_once(call, batches, pictures=None):
  """State and scalars after one call from the first state."""
  # Another copy each time, since the call takes its memory.
  current = parallel.on_every_device(jax.tree.map(jnp.copy, create()))
  return call(current, pictures, parallel.split(batches))


def call_one_by_one(call):
  """State and scalars of each update, after one call per batch."""
  current = parallel.on_every_device(jax.tree.map(jnp.copy, create()))
  scalars = []
  for batch in BATCHES:
    current, values = call(current, None, parallel.split(batch[None]))
    scalars.append(values)
  stacked = jax.tree.map(lambda *x: np.concatenate(x), *scalars)
  return current, stacked


@functools.cache
def four_on_two_devices():
  return call_one_by_one(make_call())


@functools.cache
def one_on_two_devices():
  return call_once(make_call(), BATCHES[:1])


@functools.cache
def four_on_two_devices_in_one_call():
  return call_once(make_call(), BATCHES)


@functools.cache
def four_on_one_device():
  """The same updates by one device, from the latents of the two."""
  update, current = compile_update(), create()
  scalars = []
  for i, batch in enumerate(BATCHES):
    key = jax.random.fold_in(jax.random.wrap_key_data(current.key), i)
    device_keys = [jax.random.fold_in(key, device) for device in range(2)]
    latents = [
      jax.random.normal(jax.random.split(device_key)[0], (4, 5))
      for device_key in device_keys
    ]
    current, values = update(
      current,
      arrays.bytes_to_signed(jnp.asarray(batch)),
      jnp.concatenate(latents),
    )
    scalars.append(values)
  return current, jax.tree.map(lambda *x: np.stack(x), *scalars)


def test_two_devices_learn_what_one_does():
  # Adam divides a gradient by its own size, so a rounding error counts where
  # the gradient is next to nothing: 1e-4 of the largest of each leaf.
  tiny.assert_close(
    four_on_two_devices()[0], four_on_one_device()[0], rtol=1e-4
  )


def test_two_devices_report_what_one_does():
  tiny.assert_close(
    four_on_two_devices()[1], four_on_one_device()[1], rtol=1e-5
  )


def gradients(current):
  """The generator's first moment, which holds its gradients, as one array."""
  leaves = jax.tree.leaves(current.generator.moments[0].mu)
  return np.concatenate([np.ravel(leaf) for leaf in leaves])


def distance(one, other):
  """Between two states' gradients, relative to their length."""
  one, other = gradients(one), gradients(other)
  return np.linalg.norm(one - other) / np.linalg.norm(other)


def test_per_device_statistics_are_not_those_of_the_whole_batch():
  config = tiny.make_config(model__batch_norm="per_device")
  separate, _ = call_once(parallel.make_call(config), BATCHES[:1])
  assert distance(separate, one_on_two_devices()[0]) > 0.05


@pytest.mark.parametrize("statistics", ["synchronised", "per_device"])
def test_nothing_that_comes_back_is_one_device_s_own(statistics):
  config = tiny.make_config(model__batch_norm=statistics, train__ema=0.9)
  mapped = jax.pmap(
    step.make_step(config, axis_name="devices"),
    axis_name="devices",
    in_axes=(None, 0),
    out_axes=0,
  )
  # [state, scalars] of each device.
  both = mapped(tiny.create(config), BATCHES[0].reshape(2, 4, 16, 16, 3))
  first, second = (jax.tree.map(lambda x, d=d: x[d], both) for d in range(2))
  tiny.assert_equal(first, second)


def test_the_devices_draw_different_latents():
  # The first device's latents on both would give other gradients.
  old = create()
  latent_key, _ = step.step_keys(old.key, old.step, None)
  repeated, _ = compile_update()(
    old,
    arrays.bytes_to_signed(jnp.asarray(BATCHES[0])),
    jnp.concatenate([jax.random.normal(latent_key, (4, 5))] * 2),
  )
  assert distance(one_on_two_devices()[0], repeated) > 0.05


def test_one_call_of_four_updates_is_four_calls_of_one():
  new, scalars = four_on_two_devices_in_one_call()
  expected, expected_scalars = four_on_two_devices()
  tiny.assert_close(new, expected, rtol=1e-4)
  tiny.assert_close(scalars, expected_scalars, rtol=1e-5)


def test_a_call_gives_the_scalars_of_each_of_its_updates():
  _, scalars = four_on_two_devices_in_one_call()
  assert {value.shape for value in scalars.values()} == {(4,)}


def test_pictures_on_the_devices_are_batches_from_the_host():
  pictures = parallel.on_every_device(PICTURES)
  new, scalars = call_once(make_call(), INDICES[:1], pictures)
  expected, expected_scalars = one_on_two_devices()
  tiny.assert_close(new, expected, rtol=1e-5)
  tiny.assert_close(scalars, expected_scalars, rtol=1e-6)


def test_a_call_takes_the_state_s_memory():
  current = parallel.on_every_device(jax.tree.map(jnp.copy, create()))
  make_call()(current, None, parallel.split(BATCHES[:1]))
  assert all(leaf.is_deleted() for leaf in jax.tree.leaves(current))


def test_traced_once_whatever_the_step(monkeypatch):
  make_step, traces = step.make_step, []

  def make_counted(*arguments, **options):
    one_step = make_step(*arguments, **options)

    def counted(*arguments):
      traces.append(1)
      return one_step(*arguments)

    return counted

  monkeypatch.setattr(step, "make_step", make_counted)
  call_one_by_one(parallel.make_call(tiny.make_config()))
  assert len(traces) == 1


def test_each_device_gets_its_share_of_every_batch():
  # Two batches of four, [0 1 2 3] and [4 5 6 7], over two devices.
  shares = parallel.split(np.arange(8).reshape(2, 4))
  expected = np.array([[[0, 1], [4, 5]], [[2, 3], [6, 7]]])
  np.testing.assert_array_equal(shares, expected, strict=True)


def test_on_every_device_is_a_whole_copy_on_each():
  (array,) = parallel.on_every_device([np.arange(3)])
  assert [len(shard.data) for shard in array.addressable_shards] == [3, 3]


@pytest.mark.parametrize(
  ("backend", "limit", "expected"),
  [("cpu", 10**9, False), ("gpu", 4001, True), ("gpu", 4000, False)],
)
def test_pictures_lie_on_accelerators_with_four_times_their_room(
  monkeypatch, backend, limit, expected
):
  device = types.SimpleNamespace(memory_stats=lambda: {"bytes_limit": limit})
  monkeypatch.setattr(jax, "local_devices", lambda: [device])
  monkeypatch.setattr(jax, "default_backend", lambda: backend)
  assert parallel.fits(np.zeros(1000, np.uint8)) is expected


def test_pictures_stay_on_the_host_where_the_room_is_unknown(monkeypatch):
  device = types.SimpleNamespace(memory_stats=lambda: None)
  monkeypatch.setattr(jax, "local_devices", lambda: [device])
  monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
  assert not parallel.fits(np.zeros(1, np.uint8))


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
def test_updates_per_call_suit_the_devices_and_the_periods(
  monkeypatch, backend, asked, sample_every, save_every, expected
):
  monkeypatch.setattr(jax, "default_backend", lambda: backend)
  config = tiny.make_config(
    train__steps_per_call=asked,
    train__sample_every=sample_every,
    train__save_every=save_every,
  )
  assert parallel.steps_per_call(config) == expected
