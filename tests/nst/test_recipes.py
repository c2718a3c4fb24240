"""The papers' recipes paint what they always painted."""

import json

import numpy as np
import pytest
from PIL import Image

from astgan.nst import paint
from tests import pages

# Losses of a photograph and of two updates, as the project's first engine
# reported them, whose terms, optimisers and loop were other code.
LOSSES = {
  "nst": {
    "loss": (18.2303, 14.75069, 13.18064),
    "content/loss": (0.0, 0.02373472, 0.06292321),
    "style/loss": (0.0001792229, 0.0001119121, 8.237392e-05),
    "tv/loss": (0.009269158, 0.009131352, 0.008999016),
  },
  "gatys": {
    "loss": (109.6682, 96.00694, 82.00579),
    "content/loss": (0.0, 0.03543473, 0.02238252),
    "style/loss": (0.06332236, 0.05289773, 0.03748734),
    "tv/loss": (0.009269158, 0.008529712, 0.008845495),
  },
  "vgg16": {
    "loss": (0.9664513, 0.789192, 0.6938778),
    "content/loss": (0.0, 0.004579046, 0.01317367),
    "style/loss": (9.664513e-05, 7.846129e-05, 6.807041e-05),
    "tv/loss": (0.009269158, 0.009177761, 0.009235933),
  },
}


def waves(path, phases):
  """A picture of waves in three colours, 48 by 64 pixels."""
  rows, columns = np.mgrid[:48, :64] / 8
  channels = [
    127.5 + 127 * np.sin(rows * (1 + phase) + columns * (2 - phase) + phase)
    for phase in phases
  ]
  Image.fromarray(np.stack(channels, axis=-1).astype(np.uint8)).save(path)


@pytest.mark.parametrize("name", LOSSES)
def test_a_recipe_has_the_losses_that_it_always_had(name, tmp_path):
  waves(tmp_path / "photograph.png", (0.0, 0.3, 0.9))
  waves(tmp_path / "style.png", (1.3, 1.5, 0.2))
  config = pages.build(name)
  config.features.weights = "random"
  config.paint.content = str(tmp_path / "photograph.png")
  config.paint.style = str(tmp_path / "style.png")
  config.paint.update(size=64, steps=3)
  config.paint.log_every = 1
  paint.paint(config, tmp_path / "run")
  lines = (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()
  found = [json.loads(line) for line in lines]
  for loss, values in LOSSES[name].items():
    now = [line[loss] for line in found[: len(values)]]
    np.testing.assert_allclose(now, values, rtol=1e-5, atol=1e-11, err_msg=loss)
