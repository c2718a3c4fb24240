"""The pages of configs/, and what makes their trainings tiny."""

import importlib
import pathlib

import ml_collections

ROOT = pathlib.Path(__file__).parents[1]
NAMES = sorted(
  {path.stem for path in (ROOT / "configs").glob("*.py")} - {"common"}
)


def build(name: str) -> ml_collections.ConfigDict:
  return importlib.import_module(f"configs.{name}").get_config()


def names_of(task: str) -> list[str]:
  return [name for name in NAMES if build(name).task == task]


def options(page: ml_collections.ConfigDict) -> dict[str, object]:
  """A page's fields by dotted name, but for numbers, windows and schedules."""
  found = {}
  for name, value in page.items():
    if isinstance(value, ml_collections.ConfigDict):
      inner = options(value).items()
      found |= {f"{name}.{field}": option for field, option in inner}
    elif name in ("crop", "flip", "schedule"):
      continue
    elif isinstance(value, str | bool) or (
      isinstance(value, tuple) and not any(isinstance(x, int) for x in value)
    ):
      found[name] = value
  return found


def tiny_training(name: str, style: pathlib.Path) -> dict[str, object]:
  """Fields with which a training page takes two updates in seconds.

  Args:
    name: of the page.
    style: an image, for a painter that learns one style.
  """
  fields = {
    "data.size": 32,
    "data.count": 16,
    "model.width": 4,
    "train.steps": 2,
    "train.batch_size": 4,
    "train.log_every": 1,
    "train.evaluate_every": 0,
    "train.num_samples": 4,
  }
  page = build(name)
  if "photographs" in page.data:
    fields["data.photographs"] = "landscapes"
  if "features" in page:
    fields["features.weights"] = "random"
    if page.features.get("layers"):
      fields["features.layers"] = "('relu1_2', 'relu2_2')"
  if "style" in page:
    fields["style.source"] = style
    loss = page.loss
    fields |= {
      "loss.style_layers": loss.style_layers[:2],
      "loss.style_layer_weights": loss.style_layer_weights[:2],
      "loss.content_layer": loss.style_layers[1],
    }
  if "growth" in page:
    # At 8 pixels, which fade in; each of two devices groups four images.
    plan = {"batch_sizes": 4, "stable_steps": 0, "fade_steps": 4}
    fields |= {f"growth.{name}": f"({x},)" for name, x in plan.items()}
    fields |= {"data.size": 8, "model.latent_dim": 8, "train.batch_size": 8}
  small = {"blocks": 1, "encoder_units": 8}
  return fields | {
    f"model.{n}": value for n, value in small.items() if n in page.model
  }
