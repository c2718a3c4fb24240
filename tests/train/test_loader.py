"""The calls of a run and their batches, by hand."""

import numpy as np
import pytest

from astgan.data import pipeline
from astgan.systems import gan
from astgan.train import loader, parallel
from tests.train import fake, tiny

IMAGES = {"paintings": tiny.draw_images(7, 2)}


def calls(start, stop, steps_per_call, **changes):
  """Of a GAN: turn, turns and completed steps of each call."""
  system = gan.GAN(
    tiny.make_config(model__discriminator_norm="none", **changes)
  )
  scheduled = loader.schedule(
    system, start, stop, steps_per_call=steps_per_call
  )
  return [(call.turn, call.turns, call.done) for call in scheduled]


def test_a_step_of_k_turns_is_k_calls():
  assert calls(3, 5, 1, discriminator__updates=2) == [
    ("discriminator", ((3, 0),), 3),
    ("both", ((3, 1),), 4),
    ("discriminator", ((4, 0),), 4),
    ("both", ((4, 1),), 5),
  ]


def test_equal_turns_go_together_between_multiples_of_the_steps_per_call():
  # From 3 to 4 and from 8 to 9 alone.
  assert [turns for _, turns, _ in calls(3, 9, 4)] == [
    ((3, 0),),
    ((4, 0), (5, 0), (6, 0), (7, 0)),
    ((8, 0),),
  ]
  penalty = {"loss__penalty": "r1", "loss__penalty_every": 3}
  assert [(turn, done) for turn, _, done in calls(0, 4, 4, **penalty)] == [
    ("both", 2),
    ("both+penalty", 3),
    ("both", 4),
  ]
  assert [len(t) for _, t, _ in calls(0, 2, 2, discriminator__updates=4)] == [
    3, 1, 3, 1
  ]  # fmt: skip


def test_what_a_lazy_penalty_interrupts_has_few_lengths():
  penalty = {"loss__penalty": "r1", "loss__penalty_every": 16}
  found = calls(0, 400, 25, **penalty)
  steps = [step for _, turns, _ in found for step, _ in turns]
  assert steps == list(range(400))
  assert {len(turns) for _, turns, _ in found} == {1, 2, 3, 4, 8}
  # Without it all steps of a call are one program.
  assert {len(turns) for _, turns, _ in calls(0, 400, 25)} == {25}


@pytest.mark.parametrize("steps_per_call", [1, 4])
def test_the_calls_after_a_step_do_not_depend_on_the_start(steps_per_call):
  def from_eight(start):
    whole = calls(start, 16, steps_per_call, discriminator__updates=3)
    return [call for call in whole if call[1][0][0] >= 8]

  assert from_eight(8) == from_eight(0)


def test_phases_are_found_and_their_images_counted():
  phases = fake.Fake.phases
  assert [loader.phase_at(phases, step).size for step in (0, 5, 6, 99)] == [
    8, 8, 16, 16
  ]  # fmt: skip
  # Six steps of four, then steps of two batches of two.
  counts = [loader.images_before(phases, step) for step in (0, 1, 6, 7, 8)]
  assert counts == [0, 4, 24, 28, 32]


@pytest.mark.parametrize("on_devices", [False, True])
@pytest.mark.parametrize("start", [0, 5, 7])
def test_batches_are_the_order_of_the_training_images(
  monkeypatch, start, on_devices
):
  monkeypatch.setattr(parallel, "fits", lambda images: on_devices)
  config = tiny.make_config(train__steps=9)
  order, training = pipeline.Order(5, seed=0), np.array([0, 2, 3, 5, 6])
  sides = {"paintings": training}
  system = fake.Fake(None)
  with loader.Loader(config, system, IMAGES, sides, start) as batches:
    for call, batch in batches:
      (step, number), size = call.turns[0], call.phase.batch_size
      position = loader.images_before(fake.Fake.phases, step) + number * size
      expected = training[order.batch(position, size)].astype(np.int32)
      if not on_devices:
        expected = IMAGES["paintings"][expected]
      np.testing.assert_array_equal(
        batch["paintings"], parallel.shard(expected[None]), strict=True
      )
  assert call.done == 9
  assert (batches.images is not None) == on_devices
