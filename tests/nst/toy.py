"""A small feature network with a float64 counterpart in numpy."""

import dataclasses

import jax.numpy as jnp
import numpy as np

from astgan.nst import groups, network, objective, regions
from astgan.nst.terms import content, gram, total_variation


def draw(*shape, seed=0):
  values = np.random.default_rng(seed).uniform(size=shape)
  return jnp.asarray(values, jnp.float32)


@dataclasses.dataclass(frozen=True)
class Network:
  """fine: colours mixed; coarse: means of 2 by 2 pixels, mixed and squared."""

  def __call__(self, params, images, taps):
    b, h, w, c = images.shape
    blocks = images.reshape(b, h // 2, 2, w // 2, 2, c).mean(axis=(2, 4))
    fine, coarse = images @ params["fine"], (blocks @ params["coarse"]) ** 2
    return {tap: {"fine": fine, "coarse": coarse}[tap] for tap in taps}

  def geometry(self, tap):
    return {
      "fine": network.Geometry(1, 0),
      "coarse": network.Geometry(2, 0),
    }[tap]


LAYERS = ("fine", "coarse")
PARAMS = {"fine": draw(3, 4) - 0.5, "coarse": draw(3, 5, seed=1) - 0.5}
PHOTOGRAPH = draw(1, 8, 6, 3, seed=1)


def extract_float64(images):
  """The same in float64, by numpy."""
  params = {name: np.asarray(p, "float64") for name, p in PARAMS.items()}
  return Network()(params, np.asarray(images, "float64"), LAYERS)


def make_style(*terms, weight=1000.0, extract=None):
  """An objective of style terms; Gram matrices of both layers by default."""
  terms = terms or (gram.Gram(taps=LAYERS, layer_weights=(1.0, 1.0)),)
  items = tuple(objective.Item("style", weight, term) for term in terms)
  return objective.Objective(extract or Network(), items)


def make_objective(
  style=None, *, content_layers=("coarse",), content_weight=1.0, tv_weight=0.0
):
  """The style terms with those of content and smoothness."""
  style = style or make_style()
  weights = (1.0,) * len(content_layers)
  features = content.Content(taps=content_layers, layer_weights=weights)
  others = (
    objective.Item("content", content_weight, features),
    objective.Item("tv", tv_weight, total_variation.TotalVariation()),
  )
  return objective.Objective(style.network, style.items + others)


def by_layer(images):
  """[p c] of each image in float64, by layer."""
  return {
    layer: [image.reshape(-1, image.shape[-1]) for image in features]
    for layer, features in extract_float64(images).items()
  }


def style_loss(term, style_images, image=PHOTOGRAPH):
  """The loss of a term of style, of weight 1, to a group."""
  style = make_style(term, weight=1.0)
  targets = make_targets(style_images, style)._replace(content={})
  targets = targets._replace(items=targets.items[:1])
  return float(style(image, PARAMS, targets)[0])


def make_targets(style_images, style=None, *, content_layers=("coarse",)):
  """Targets of the photograph and of arrays of style images."""
  style = style or make_style()
  group = groups.Group(PARAMS, objective.Whole(style))
  for images in style_images:
    for image in np.asarray(images):
      group.add(image)
  return objective.Targets(
    content=style.network(PARAMS, PHOTOGRAPH, content_layers),
    items=group.targets() + (None, None),
    everywhere=regions.make(style, PARAMS, PHOTOGRAPH.shape[1:]),
  )
