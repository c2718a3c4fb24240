"""A real, tiny GAN: its failures are caught, and its logits are shown."""

import numpy as np
import pytest
from tensorboardX.proto import event_pb2

from astgan import errors, history, writer
from astgan.train import loop
from tests.train import tiny


def train(workdir, decoded, **changes):
  """Three dozens of steps, and what ended them."""
  fields = {
    "train__steps": 40,
    "train__log_every": 1,
    "train__sample_every": 100,
    "train__save_every": 100,
    "train__on_failure": "stop",
    "detectors__patience": 15,
  }
  try:
    loop.train(tiny.make_run_config(decoded, **(fields | changes)), workdir)
  except (errors.TrainingFailure, FloatingPointError) as error:
    return str(error)
  return None


# A generator that stands still, against a discriminator that learns fast.
UNEQUAL = {
  "generator__learning_rate": 1e-12,
  "discriminator__learning_rate": 2e-3,
}


@pytest.mark.parametrize("loss", ["least_squares", "hinge"])
def test_a_pinned_discriminator_is_caught_by_the_margin_of_its_loss(
  tmp_path, decoded, loss
):
  told = train(tmp_path, decoded, loss__name=loss, **UNEQUAL)
  assert "stopped: the discriminator is pinned" in told
  alarms = history.alarms(writer.read(tmp_path))
  assert list(alarms) == ["pinned_discriminator"]


def test_equal_players_are_left_alone(tmp_path, decoded):
  assert train(tmp_path, decoded, loss__name="least_squares") is None
  assert history.alarms(writer.read(tmp_path)) == {}


def test_a_rate_that_destroys_the_networks_is_caught(tmp_path, decoded):
  told = train(
    tmp_path,
    decoded,
    discriminator__optimizer="sgd",
    discriminator__learning_rate=1e30,
  )
  assert "at step 1: the training diverged" in told
  *_, line, end = writer.read(tmp_path)
  assert None in line.values() and "nan" in end["stop/reason"]


def histograms(workdir):
  """Those of the TensorBoard events of a run, by step and name."""
  (path,), found = workdir.glob("*tfevents*"), {}
  data = path.read_bytes()
  while data:
    # A length, its checksum, the event, and its checksum.
    size = int.from_bytes(data[:8], "little")
    event = event_pb2.Event.FromString(data[12 : 12 + size])
    data = data[16 + size :]
    for value in event.summary.value:
      if value.HasField("histo"):
        found[event.step, value.tag] = value.histo
  return found


def test_the_logits_of_every_contact_sheet_are_in_tensorboard(trained):
  found = histograms(trained)
  names = [f"discriminator/{kind}_logits" for kind in ("fake", "real")]
  assert sorted(found) == [(step, x) for step in (4, 8, 12) for x in names]
  for histogram in found.values():
    # Of four images.
    assert histogram.num == 4
    assert np.isfinite(histogram.sum) and histogram.min < histogram.max
