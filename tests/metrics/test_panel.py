"""The panel: its names, what it compares with what, and what it refuses."""

import hashlib

import numpy as np
import pytest

from astgan import errors
from astgan.features import extractors, files, weights
from astgan.metrics import (
  extract,
  frechet,
  kernel,
  moments,
  neighbours,
  panel,
)
from tests.metrics import tiny

TRAINING, HELD_OUT, FAKES = (
  tiny.draw(count, seed=seed) for seed, count in enumerate((40, 30, 30))
)


def make(held_out=HELD_OUT, *, nets=("tiny_relu1",), **settings):
  nets = [tiny.make(name) for name in nets]
  return panel.Panel(TRAINING, held_out, nets=nets, **settings)


def standardised(*sets):
  """Features of sets by mean and deviation of those of the training images."""
  features = [
    extract.features(tiny.make(), images).astype(np.float64)
    for images in (TRAINING, *sets)
  ]
  mean, deviation = features[0].mean(0)[None], features[0].std(0)[None]
  return [(one - mean) / deviation for one in features]


def test_names_say_metric_network_and_images():
  names = set(make().measure(FAKES))
  assert names == {
    *("frechet_tiny_relu1_30", "kernel_tiny_relu1_30"),
    *("kernel_tiny_relu1_30_std", "precision_tiny_relu1_30"),
    *("recall_tiny_relu1_30", "density_tiny_relu1_30"),
    *("coverage_tiny_relu1_30", "authenticity_tiny_relu1_30"),
    *("diversity_tiny_relu1_30", "sliced_wasserstein_30"),
    *("spectrum_slope_30", "spectrum_half_30", "spectrum_quarter_30"),
    "colours_30",
  }


def test_a_network_that_the_training_used_is_labelled():
  found = make(
    nets=("tiny_relu1", "other_relu1"),
    metrics=("kernel",),
    seen_nets=("other",),
  ).measure(FAKES)
  assert list(found) == [
    *("kernel_tiny_relu1_30", "kernel_tiny_relu1_30_std"),
    *("kernel_other_relu1_30_seen", "kernel_other_relu1_30_seen_std"),
  ]


def test_the_nearest_of_a_network_that_the_training_used_are_labelled():
  found = make(nets=("tiny_relu1", "other_relu1"), seen_nets=("other",))
  names = ["pixels", "tiny_relu1", "other_relu1_seen"]
  assert list(found.nearest(FAKES[:1], 1)) == names


@pytest.mark.parametrize(
  ("content", "names"),
  [
    (b"published", {"fid_30", "kid_30", "kid_30_std"}),
    (
      b"another",
      {
        *("frechet_inception_30", "kernel_inception_30"),
        "kernel_inception_30_std",
      },
    ),
  ],
)
def test_only_the_published_bytes_of_inception_have_the_published_names(
  content, names, tmp_path, monkeypatch
):
  path = tmp_path / "renamed.pth"
  path.write_bytes(content)
  sha256 = hashlib.sha256(b"published").hexdigest()
  monkeypatch.setitem(files.PUBLISHED, extractors.INCEPTION, ("sha256", sha256))
  net = tiny.make()
  monkeypatch.setattr(weights, "load", lambda *_: net.params)
  monkeypatch.setitem(extractors.APPLIES, "inception", net.apply)
  found = panel.Panel(
    TRAINING,
    HELD_OUT,
    nets=[extractors.load("inception", str(path))],
    metrics=("frechet", "kernel"),
  )
  assert set(found.measure(FAKES)) == names


def test_thousands_are_short():
  images = np.tile(TRAINING[:, :32, :32], (50, 1, 1, 1))
  found = panel.Panel(images, images[:0], metrics=("colours",))
  assert list(found.measure(images)) == ["colours_2k"]


def test_the_numbers_are_those_of_standardised_features():
  training, held_out, fakes = standardised(HELD_OUT, FAKES)
  found = make().measure(FAKES)
  expected = {
    "frechet": frechet.distance(moments.of(held_out), moments.of(fakes)),
    "precision": neighbours.precision_recall(held_out, fakes)[0],
    "coverage": neighbours.density_coverage(held_out, fakes)[1],
    "authenticity": neighbours.authenticity(training, fakes),
    "diversity": neighbours.diversity(fakes) / neighbours.diversity(held_out),
  }
  for name, value in expected.items():
    np.testing.assert_allclose(found[f"{name}_tiny_relu1_30"], value, rtol=1e-6)


def test_the_kernel_takes_half_of_the_images_at_a_time():
  _, held_out, fakes = standardised(HELD_OUT, FAKES)
  whole = make(subset_size=30, metrics=("kernel",)).measure(FAKES)
  expected = kernel.mmd2(held_out, fakes)
  np.testing.assert_allclose(whole["kernel_tiny_relu1_30"], expected, rtol=1e-6)
  assert whole["kernel_tiny_relu1_30_std"] < 1e-12
  half = make(metrics=("kernel",)).measure(FAKES)
  assert half == make(subset_size=15, metrics=("kernel",)).measure(FAKES)


def test_the_inception_network_is_not_standardised():
  raw = [
    moments.of(extract.features(tiny.make(), images))
    for images in (HELD_OUT, FAKES)
  ]
  (found,) = (
    make(nets=("inception",), metrics=("frechet",)).measure(FAKES).values()
  )
  np.testing.assert_allclose(found, frechet.distance(*raw), rtol=1e-6)


def test_the_floor_has_the_same_names_and_reals_have_smaller_distances():
  compared = make()
  floor, found = compared.floor(), compared.measure(FAKES // 2)
  assert list(floor) == list(found)
  for name in ("frechet_tiny_relu1_30", "kernel_tiny_relu1_30", "colours_30"):
    assert floor[name] < found[name] / 2


def test_the_floor_of_authenticity_is_that_of_held_out_images():
  training, held_out = standardised(HELD_OUT)
  floor = make(metrics=("authenticity",)).floor()
  expected = neighbours.authenticity(training, held_out)
  assert floor == {"authenticity_tiny_relu1_30": expected}
  assert expected > 0


def test_copies_of_training_images_are_not_authentic():
  found = make(metrics=("authenticity",)).measure(TRAINING)
  assert list(found.values()) == [0]


def test_without_held_out_images_the_reference_is_the_training_images():
  alone = make(TRAINING[:0], count=100)
  assert (alone.count, alone.floor()) == (40, {})
  found = alone.measure(TRAINING)
  assert found["coverage_tiny_relu1_40"] == 1
  assert abs(found["frechet_tiny_relu1_40"]) < 1e-6
  assert found["sliced_wasserstein_40"] < 0.05
  assert found["colours_40"] == 0


def test_the_same_panel_gives_the_same_numbers():
  assert make(count=20).measure(FAKES) == make(count=20).measure(FAKES)


def test_the_nearest_training_images_of_copies_are_the_originals():
  chosen = [3, 17, 29]
  found = make(count=10).nearest(TRAINING[chosen], 4)
  assert list(found) == ["pixels", "tiny_relu1"]
  for indices in found.values():
    assert indices.shape == (3, 4)
    np.testing.assert_array_equal(indices[:, 0], chosen)


@pytest.mark.parametrize(
  ("settings", "words"),
  [
    ({"subset_size": 31}, "evaluate.subset_size=31 is more than the 30"),
    ({"count": 5}, "evaluate.count: 5 images"),
    ({"held_out": HELD_OUT[:3]}, "evaluate.count: 3 images .* 3 held out"),
  ],
)
def test_a_panel_that_cannot_be_is_refused(settings, words):
  with pytest.raises(errors.UserError, match=words) as caught:
    make(**settings)
  assert "\n" not in str(caught.value)


@pytest.mark.parametrize("held_out", [TRAINING[:0], TRAINING[:1].repeat(9, 0)])
def test_a_reference_of_equal_images_has_no_diversity(held_out):
  images = TRAINING[:1].repeat(8, axis=0)
  training = TRAINING if len(held_out) else images
  words = "diversity has no unit; leave diversity out"
  with pytest.raises(errors.UserError, match=words) as caught:
    panel.Panel(training, held_out, nets=[tiny.make()])
  assert "\n" not in str(caught.value)
  metrics = [name for name in panel.METRICS if name != "diversity"]
  found = panel.Panel(images, images, nets=[tiny.make()], metrics=metrics)
  assert np.isfinite(list(found.measure(FAKES[:8]).values())).all()


def test_fakes_of_one_colour_have_numbers():
  numbers = make().measure(np.full_like(FAKES, 77))
  assert np.isfinite(list(numbers.values())).all()


def test_a_size_that_has_no_quarter_is_refused():
  images = tiny.draw(8, 30)
  with pytest.raises(errors.UserError, match=r"data\.size=30"):
    panel.Panel(images, images)


@pytest.mark.parametrize(
  ("images", "words"),
  [
    (FAKES[:0], "evaluate.count: 0 images are given"),
    (FAKES[:29], "evaluate.count: 29 images are given, but 30"),
    (np.repeat(FAKES, 2, axis=2), "data.size: images of 64"),
  ],
)
def test_images_that_cannot_be_compared_are_refused(images, words):
  with pytest.raises(errors.UserError, match=words):
    make(metrics=("colours",)).measure(images)
