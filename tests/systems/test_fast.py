"""System `fast`: the style of a group, kept in the state, and its sources."""

import functools
import pathlib

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from astgan import errors
from astgan.data import images
from astgan.features import vgg
from astgan.systems import fast_style, gan, registry, style_images
from astgan.train import loop, run
from tests import pictures
from tests.systems import painters
from tests.train import tiny


def make(folder, **changes):
  return registry.make(painters.make_config("fast", folder, **changes))


def test_the_style_of_a_folder_has_the_mean_of_its_gram_matrices(tmp_path):
  (tmp_path / "group").mkdir()
  frozen = []
  for number in range(2):
    path = tmp_path / "group" / f"{number}.png"
    images.write(path, pictures.noise(32, 40, seed=number))
    frozen.append(make(tmp_path, style__source=str(path)).load_frozen())
  group = make(tmp_path, style__source=str(tmp_path / "group")).load_frozen()
  for tap, gram in group["style"].items():
    mean = (frozen[0]["style"][tap] + frozen[1]["style"][tap]) / 2
    tiny.assert_close(gram, mean, rtol=1e-5)


def test_a_batch_of_paintings_has_the_gaussians_of_the_group(tmp_path):
  (tmp_path / "group").mkdir()
  group = [pictures.noise(32, 32, seed=number) for number in range(2)]
  for number, image in enumerate(group):
    images.write(tmp_path / "group" / f"{number}.png", image)
  config = painters.make_config(
    *("fast", tmp_path),
    loss__style="wasserstein",
    style__source=str(tmp_path / "group"),
    style__size=32,
  )
  frozen = registry.make(config).load_frozen()

  def distance(pictures):
    unit = jnp.asarray(np.stack(pictures), jnp.float32) / 255
    found = vgg.apply(
      frozen["net"], unit, config.loss.style_layers, padding="replicate"
    )
    return fast_style.loss(config, found, frozen["style"], mean=lambda x: x)

  # Neither of the two has the style alone, and both have it together.
  assert abs(distance(group)) < 1e-3 * distance(group[:1])


def test_a_generator_draws_the_style(tmp_path, trained):
  system = make(
    tmp_path, style__source=str(trained), style__batch=3, style__size=32
  )
  (first,) = system.load_frozen()["style"]["relu1_2"].shape[:1]
  assert first == 64


def test_a_run_goes_on_with_the_style_that_it_began_with(tmp_path):
  system = make(tmp_path)
  state, frozen = tiny.init(system.config), system.load_frozen()
  batch = painters.draw_batch(system, 0)
  update = functools.partial(
    system.update, phase=system.phases[0], turn="all", axis_name=None
  )
  update = jax.jit(update)
  state, _ = update(state, batch, {}, frozen)
  tiny.assert_equal(state.extra, frozen["style"])
  other = {tap: 2 * gram for tap, gram in frozen["style"].items()}
  state, _ = update(state, batch, {}, frozen | {"style": other})
  tiny.assert_equal(state.extra, frozen["style"])


@pytest.mark.parametrize(
  ("changes", "told"),
  [
    ({"style__source": ""}, "style.source is empty"),
    ({"style__size": 8}, "style.size"),
    ({"model__blocks": 0}, "model.blocks"),
    ({"features__net": "vgg11"}, "features.net"),
    ({"loss__style_layers": ("relu9_1",)}, "loss.style_layers: vgg16 has no"),
    ({"loss__style_layers": ()}, "loss.style_layers is empty"),
    ({"loss__style_layers": ("relu1_1",) * 2}, "names a layer twice"),
    ({"loss__style": "gramm"}, "loss.style is one of gram, wasserstein"),
    ({"loss__style_layer_weights": (1.0,)}, "loss.style_layer_weights has 1"),
    ({"loss__content_layer": "relu3_4"}, "loss.content_layer"),
    ({"loss__tv_weight": -1.0}, "loss.tv_weight"),
    ({"generator__beta1": 1.0}, "generator.beta1"),
  ],
)
def test_what_cannot_be_is_named_in_one_line(changes, told, tmp_path):
  with pytest.raises(errors.UserError, match=told) as caught:
    make(tmp_path, **changes)
  assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
  ("layer", "side", "needed"), [("conv1_1", 10, 16), ("pool5", 20, 32)]
)
def test_a_style_that_is_too_narrow_is_refused(tmp_path, layer, side, needed):
  images.write(tmp_path / "frieze.png", pictures.noise(side, 80))
  frieze = str(tmp_path / "frieze.png")
  config = painters.make_config(
    *("fast", tmp_path),
    style__source=frieze,
    style__size=80,
    loss__style_layers=(layer,),
  )
  match = f"{side} pixels on its shorter side, {needed} are needed"
  with pytest.raises(errors.UserError, match=match):
    next(style_images.read(config, registry.make))


def test_a_run_without_a_generator_draws_no_style(
  tmp_path, trained, monkeypatch
):
  monkeypatch.setattr(gan.GAN, "sampler", lambda self, state: None)
  config = painters.make_config("fast", tmp_path, style__source=str(trained))
  with pytest.raises(errors.UserError, match="trained no generator"):
    next(style_images.read(config, registry.make))


def test_a_pool_is_a_layer_of_the_style(tmp_path):
  config = painters.make_config(
    "fast", tmp_path, loss__style_layers=("pool1", "conv3_1")
  )
  shapes = jax.eval_shape(registry.make(config).init, jax.random.key(0)).extra
  assert {tap: leaf.shape for tap, leaf in shapes.items()} == {
    "pool1": (64, 64),
    "conv3_1": (256, 256),
  }


def test_a_style_is_found_again_by_its_images(tmp_path, decoded, monkeypatch):
  config = painters.make_config(
    "fast", tmp_path, data__cache=str(decoded), train__steps=1
  )
  workdir, source = tmp_path / "run", config.style.source
  config.style.source = str(tmp_path / "nowhere")
  with pytest.raises(
    errors.UserError, match=r"^config\.style\.source: .*nowhere: there is no"
  ):
    loop.train(config, workdir)
  assert not (workdir / "config.json").exists()
  config.style.source = source
  loop.train(config, workdir)
  assert (workdir / "checkpoints" / "1").exists()
  # It is the same where it was moved, and another one is not.
  monkeypatch.setattr(run.Run, "resume", lambda self: "went on")
  moved, config.train.steps = pathlib.Path(source), 2
  other = tmp_path / "other.png"
  images.write(other, pictures.noise(32, 40, seed=1))
  for name in ("there", "elsewhere"):
    moved = moved.rename(tmp_path / f"{name}.png")
    config.style.source = str(other)
    with pytest.raises(
      errors.UserError, match=r"style\.source: the images are"
    ):
      loop.train(config, workdir)
    config.style.source = str(moved)
    loop.train(config, workdir)
