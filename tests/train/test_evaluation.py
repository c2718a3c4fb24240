"""Metrics in training: measured beside a run, which stays what it is."""

import numpy as np
import pytest
from PIL import Image

from astgan import errors, sampling, writer
from astgan.models import translator
from astgan.systems import generators, registry, translated
from astgan.train import loop
from tests.train import fake, tiny

EVALUATED = {
  "data__count": 40,
  "data__hold_out": 0.4,
  "train__evaluate_every": 4,
  "train__max_to_keep": 1,
  "evaluate__count": 8,
  "evaluate__metrics": ("kernel", "diversity"),
  "evaluate__subset_size": 4,
  "evaluate__best_metric": "kernel_random",
}


def train(workdir, decoded, **changes):
  config = tiny.make_run_config(decoded, **(EVALUATED | changes))
  loop.train(config, workdir)


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory, decoded):
  """A run folder; to be read. The run was interrupted once."""
  workdir = tmp_path_factory.mktemp("runs") / "evaluated"
  train(workdir, decoded, train__steps=8)
  train(workdir, decoded)
  return workdir


def values_of(workdir, name):
  return {x["step"]: x[name] for x in writer.read(workdir) if name in x}


def test_the_metrics_of_each_period_are_lines(evaluated):
  for name in ("kernel_random_8", "kernel_random_8_std", "diversity_random_8"):
    values = values_of(evaluated, name)
    assert [*values] == [4, 8, 12]
    assert len({*values.values()}) == 3


def test_the_floor_of_the_held_out_images_is_written_once(evaluated):
  assert [*values_of(evaluated, "floor/kernel_random_8")] == [0]


def test_the_curves_are_plotted(evaluated):
  with Image.open(evaluated / "metrics.png") as plotted:
    assert len(plotted.convert("RGB").getcolors(10**6)) > 10


def test_a_run_is_bit_for_bit_the_same_without(evaluated, decoded, tmp_path):
  train(tmp_path / "run", decoded, train__evaluate_every=0)
  tiny.assert_equal(
    tiny.read_checkpoint(tmp_path / "run", 12),
    tiny.read_checkpoint(evaluated, 12),
  )


def test_the_best_checkpoint_is_kept_beside_the_newest(evaluated):
  values = values_of(evaluated, "kernel_random_8")
  best = min(values, key=values.get)
  assert sampling.load(evaluated, step="best").step == best
  names = {path.name for path in (evaluated / "checkpoints").iterdir()}
  assert names == {str(best), "12"}


def test_a_checkpoint_is_saved_where_it_is_the_best_so_far(tmp_path, decoded):
  train(tmp_path, decoded, train__save_every=100, train__steps=5)
  saved = {path.name for path in (tmp_path / "checkpoints").iterdir()}
  values = values_of(tmp_path, "kernel_random_8")
  assert [*values] == [4, 5] and saved == {"5", "4"} - (
    {"4"} if values[5] < values[4] else set()
  )


def test_a_run_that_was_not_evaluated_has_no_best(trained):
  with pytest.raises(errors.UserError, match="has no best checkpoint") as error:
    sampling.load(trained, step="best")
  assert "\n" not in str(error.value)


def test_without_held_out_images_training_ones_are_compared(tmp_path, decoded):
  train(tmp_path, decoded, data__hold_out=0.0, train__steps=4)
  (line,) = [x for x in writer.read(tmp_path) if "kernel_random_8" in x]
  assert np.isfinite(line["kernel_random_8"])
  assert not [x for x in writer.read(tmp_path) if x["step"] == 0]


@pytest.mark.parametrize(
  ("field", "value", "told"),
  [
    ("nets", ("alphanet",), "alphanet"),
    ("nets", ("inception",), "the task evaluate"),
    ("metrics", ("beauty",), "evaluate.metrics"),
    ("best_metric", "frechet_random", "there are kernel_random_8"),
    ("best_metric", "", "evaluate.best_metric"),
    ("count", 5, "evaluate.count"),
    ("subset_size", 9, "evaluate.subset_size"),
  ],
)
def test_a_mistake_is_told_before_the_run_begins(
  tmp_path, decoded, field, value, told
):
  with pytest.raises(errors.UserError, match=told):
    train(tmp_path / "run", decoded, **{f"evaluate__{field}": value})
  assert not (tmp_path / "run" / "config.json").exists()


class Painter(fake.Fake):
  """A system that gives away something else than a generator."""

  def sampler(self, state):
    return translated.Painter(translator.Translator(4, 1), {"painting": {}})

  def samples(self, state, frozen, batch):
    return batch


def test_a_system_without_generator_is_trained_and_not_evaluated(
  tmp_path, decoded, caplog, monkeypatch
):
  monkeypatch.setitem(registry.SYSTEMS, "fake", Painter)
  assert not isinstance(Painter(None).sampler(None), generators.Generator)
  config = fake.make_config(decoded, train__evaluate_every=4, train__steps=4)
  loop.train(config, tmp_path)
  assert "draws no images from latents" in caplog.text
  assert "kernel" not in (tmp_path / "metrics.jsonl").read_text()
