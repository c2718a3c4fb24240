"""Small configs of painters of one pass, and batches for them."""

import importlib
import pathlib

import jax.numpy as jnp
import ml_collections
import numpy as np

from astgan.data import images
from astgan.systems import supervised
from tests import pictures
from tests.train import tiny

# The page of each system, one of each loss, and what makes it small.
PAGES = {
  "fast": (
    "johnson",
    {"model__blocks": 1, "loss__style_layers": ("relu1_2", "relu2_2")},
  ),
  "fast_wasserstein": (
    "johnson_small",
    {
      "model__blocks": 1,
      "loss__style_layers": ("relu1_1", "relu2_1"),
      "loss__style_layer_weights": (1.0, 0.5),
      "loss__content_layer": "relu2_2",
    },
  ),
  "adain": ("adain", {}),
  "wct": ("wct", {"model__blocks": (3, 1)}),
  "style_swap": ("style_swap", {"model__patches": 50}),
  "stvae": ("stvae", {"model__latent_dim": 5, "model__channels": 4}),
}


def make_config(
  name: str,
  folder: pathlib.Path,
  *,
  optimizer: str = "adam",
  learning_rate: float = 1e-3,
  **changes: object,
) -> ml_collections.ConfigDict:
  """The page's smallest networks, with untrained features.

  Args:
    name: in `PAGES`.
    folder: gets an image of the style where the page has a field for it.
    optimizer, learning_rate: of its only section of that kind.
    changes: further fields, by dotted name with `__` for `.`.
  """
  page, fields = PAGES[name]
  page = importlib.import_module(f"configs.{page}")
  config = page.get_config()
  fields = {"features__weights": "random", "data__crop": "centre"} | fields
  if "style" in config:
    images.write(folder / "style.png", pictures.noise(32, 40))
    fields |= {"style__source": str(folder / "style.png"), "style__size": 40}
  else:
    fields["data__photographs"] = "landscapes"
  section = "generator" if "generator" in config else "decoder"
  fields |= {
    f"{section}__optimizer": optimizer,
    f"{section}__learning_rate": learning_rate,
  }
  return tiny.make_config(page, **(fields | changes))


def draw_batch(
  system: supervised.Supervised, seed: int, count: int = 2
) -> dict[str, jnp.ndarray]:
  """Noise in [-1, 1] of each source, each image of another contrast."""
  draws = np.random.default_rng(seed)
  shape = (count, tiny.SIZE, tiny.SIZE, 3)
  contrast = 0.5 ** np.arange(count)[:, None, None, None]
  return {
    name: jnp.asarray(np.tanh(contrast * draws.normal(size=shape)), "float32")
    for name in system.sources
  }
