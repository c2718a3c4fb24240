"""The task `paint`: the run folder, continued runs and refused input."""

import functools
import json
import logging
import pathlib
import signal
import threading

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image

from astgan import errors
from astgan.data import formats, images, rgba
from astgan.features import weights
from astgan.nst import (
  opening,
  optimize,
  paint,
  photographs,
  settings,
  start,
  styles,
  stylize,
  unfinished,
)
from configs import nst
from tests import pictures


@pytest.fixture(autouse=True, scope="module")
def random_weights():
  """The untrained network, drawn once."""
  with pytest.MonkeyPatch.context() as patch:
    patch.setattr(weights, "load", functools.cache(weights.load))
    yield


@pytest.fixture
def folder(tmp_path):
  """A folder of one photograph, and one of two style images."""
  for name in ("photographs", "style"):
    (tmp_path / name).mkdir()
  write(tmp_path / "photographs" / "harbour.png", 40, 80)
  write(tmp_path / "style" / "0.png", 48, 40, seed=1)
  write(tmp_path / "style" / "1.png", 64, 64, seed=2)
  return tmp_path


def write(path, height, width, seed=0):
  images.write(path, pictures.noise(height, width, seed))


def make_config(folder, **changes):
  """Two steps of a small painting with the first layers of the network."""
  config = nst.get_config()
  config.features.weights = "random"
  config.paint.update(size=64, steps=2, content=str(folder / "photographs"))
  config.paint.style = str(folder / "style")
  config.paint.style_layers = ("conv_1", "conv_2")
  config.paint.content_layers = ("conv_2",)
  with config.unlocked():
    config.update_from_flattened_dict(changes)
  return config


def run(folder, **changes):
  workdir = folder / "run"
  paint.paint(make_config(folder, **changes), workdir)
  return workdir


def refused(folder, match, **changes):
  """The changed config is refused in one line."""
  with pytest.raises(errors.UserError, match=match) as caught:
    run(folder, **changes)
  assert "\n" not in str(caught.value)


def painted(workdir):
  return sorted((workdir / "painted").iterdir())


def read_metrics(workdir):
  text = (workdir / "metrics.jsonl").read_text()
  return [json.loads(line) for line in text.splitlines()]


def test_the_run_folder_holds_the_painting_and_explains_itself(folder):
  workdir = run(folder)
  names = " ".join(sorted(path.name for path in workdir.iterdir()))
  assert names.startswith("config.json events.out.tfevents")
  assert names.endswith("losses.png metrics.jsonl painted style.json style.png")
  assert images.read(workdir / "painted" / "harbour.png").shape == (32, 64, 3)


@pytest.mark.parametrize("init", start.INITS)
def test_losses_are_logged_per_photograph_from_first_to_last(folder, init):
  fields = {"paint.steps": 3, "paint.log_every": 2, "paint.init": init}
  lines = read_metrics(run(folder, **fields))
  assert [line["step"] for line in lines] == [0, 2, 3]
  assert {line["photograph"] for line in lines} == {"harbour"}
  assert (lines[0]["content/loss"] == 0) == (init == "content")
  assert lines[-1]["loss"] < lines[0]["loss"]


def test_a_generator_draws_the_style_batch(folder, trained):
  fields = {"paint.style": str(trained), "paint.style_batch": 5}
  # Five images of 32 pixels in a row, two pixels between them.
  style = images.read(run(folder, **fields) / "style.png")
  assert style.shape == (32, 5 * 34 - 2, 3)


def test_a_deleted_painting_is_painted_again_with_the_same_pixels(folder):
  painting = run(folder) / "painted" / "harbour.png"
  before = images.read(painting)
  painting.unlink()
  lines = read_metrics(run(folder))
  np.testing.assert_array_equal(images.read(painting), before, strict=True)
  assert [line["step"] for line in lines] == [0, 2]


def test_photographs_on_two_devices_are_painted_as_on_one(folder, monkeypatch):
  write(folder / "photographs" / "pier.png", 80, 40, seed=6)
  workdir = run(folder, **PYRAMID)
  paintings = {path.name: images.read(path) for path in painted(workdir)}
  assert len(paintings) == 2
  workdir.rename(folder / "before")
  first = jax.local_devices()[:1]
  monkeypatch.setattr(jax, "local_devices", lambda: first)
  for path in painted(run(folder, **PYRAMID)):
    np.testing.assert_array_equal(
      images.read(path), paintings[path.name], strict=True
    )


def test_a_restart_keeps_paintings_and_adds_the_others(folder, caplog):
  caplog.set_level(logging.INFO)
  painting = run(folder) / "painted" / "harbour.png"
  written = painting.stat().st_mtime_ns
  write(folder / "photographs" / "pier.png", 80, 40, seed=6)
  # Reports may change between two calls.
  workdir = run(folder, **{"paint.log_every": 1})
  assert painting.stat().st_mtime_ns == written
  assert f"{painting} is already painted" in caplog.messages
  assert images.read(workdir / "painted" / "pier.png").shape == (64, 32, 3)
  lines = [(line["photograph"], line["step"]) for line in read_metrics(workdir)]
  assert lines[:2] == [("harbour", 0), ("harbour", 2)]
  assert lines[2:] == [("pier", 0), ("pier", 1), ("pier", 2)]


@pytest.mark.parametrize(("form", "suffix"), formats.SUFFIXES.items())
def test_a_restart_finds_what_is_painted_in_any_format(
  folder, caplog, form, suffix
):
  caplog.set_level(logging.INFO)
  for _ in range(2):
    workdir = run(folder, **{"paint.format": form})
  painting = workdir / "painted" / f"harbour{suffix}"
  assert list((workdir / "painted").iterdir()) == [painting]
  assert f"{painting} is already painted" in caplog.messages
  config = json.loads(formats.read_text(painting)["astgan: config"])
  assert config["paint"]["content"] == str(folder / "photographs")


def test_16_bits_are_the_same_painting_between_its_bytes(folder):
  bytes_8 = images.read(run(folder) / "painted" / "harbour.png")
  (folder / "run").rename(folder / "bytes")
  path = run(folder, **{"paint.bits": 16}) / "painted" / "harbour.png"
  pixels = rgba.decode(path, path.read_bytes())
  assert pixels.colour.dtype == np.uint16
  assert np.unique(pixels.colour).size > 256
  np.testing.assert_allclose(pixels.colour / 257, bytes_8, atol=0.51)


def test_a_painting_has_the_alpha_of_its_photograph(folder):
  alpha = np.zeros((40, 80), np.uint8)
  alpha[:, 40:] = 255
  image = np.dstack([pictures.noise(40, 80), alpha])
  Image.fromarray(image).save(folder / "photographs" / "harbour.png")
  with Image.open(run(folder) / "painted" / "harbour.png") as painting:
    painted = np.asarray(painting.getchannel("A"))
  assert painted.shape == (32, 64)
  assert (painted[:, :31] == 0).all() and (painted[:, 33:] == 255).all()


def test_an_interrupted_painting_leaves_no_file(folder, monkeypatch):
  def interrupt(*arguments, **options):
    raise KeyboardInterrupt

  monkeypatch.setattr(optimize, "paint_one", interrupt)
  with pytest.raises(KeyboardInterrupt):
    run(folder)
  assert not list((folder / "run" / "painted").iterdir())


PYRAMID = {
  "paint.coarsest": 45,
  "paint.steps": 4,
  "paint.save_every": 1,
  "paint.optimizer": "adam",
  "paint.ema_decay": 0.5,
}


def stop_at(monkeypatch, step):
  """A signal arrives with the losses of a step."""
  write_line = paint.writer.Writer.write

  def write(self, number, scalars, **labels):
    write_line(self, number, scalars, **labels)
    if number == step:
      signal.raise_signal(signal.SIGTERM)

  monkeypatch.setattr(paint.writer.Writer, "write", write)


# In the first level of the pyramid, at its end, and in the second.
@pytest.mark.parametrize(("step", "margin"), [(2, 0), (4, 8), (6, 0), (6, 8)])
def test_a_painting_that_was_stopped_ends_as_one_that_was_not(
  folder, monkeypatch, caplog, step, margin
):
  caplog.set_level(logging.INFO)
  fields = PYRAMID | {"paint.log_every": 1, "paint.margin": margin}
  workdir = run(folder, **fields)
  expected = (workdir / "painted" / "harbour.png").read_bytes()
  lines = read_metrics(workdir)
  workdir.rename(folder / "before")
  with monkeypatch.context() as patch:
    stop_at(patch, step)
    run(folder, **fields)
  assert "stopped by SIGTERM" in caplog.text
  assert not list((workdir / "painted").iterdir())
  preview = images.read(workdir / "unfinished" / "harbour.png")
  assert preview.shape[1] == (45 if step <= 4 else 64)
  run(folder, **fields)
  assert (workdir / "painted" / "harbour.png").read_bytes() == expected
  assert read_metrics(workdir) == lines
  assert not (workdir / "unfinished").exists()


def test_a_damaged_unfinished_painting_is_named_and_painted_anew(
  folder, monkeypatch, caplog
):
  with monkeypatch.context() as patch:
    stop_at(patch, 2)
    run(folder, **PYRAMID, **{"paint.log_every": 1})
  state = folder / "run" / "unfinished" / "harbour.npz"
  state.write_bytes(state.read_bytes()[:-99])
  workdir = run(folder, **PYRAMID, **{"paint.log_every": 1})
  assert f"{state} is damaged" in caplog.text
  steps = [line["step"] for line in read_metrics(workdir)]
  assert steps == list(range(9))


def test_a_painting_is_painted_anew_with_another_mask_of_a_folder(
  folder, monkeypatch, caplog
):
  mask = folder / "masks" / "harbour.png"
  mask.parent.mkdir()
  fields = {"paint.masks": (str(mask.parent),), "paint.log_every": 1}
  write(mask, 40, 80, seed=1)
  with monkeypatch.context() as patch:
    stop_at(patch, 1)
    run(folder, **fields)
  write(mask, 40, 80, seed=2)
  run(folder, **fields)
  assert "harbour.npz belongs to another photograph or mask" in caplog.text


def test_a_state_without_a_fingerprint_is_damaged(tmp_path, caplog):
  np.savez(tmp_path / "pier.npz", **{"level": 0, "000": np.zeros(3)})
  found = unfinished.load(
    tmp_path, "pier", like=lambda level: np.zeros(3), fingerprint=""
  )
  assert found is None
  assert "pier.npz is damaged" in caplog.text


@pytest.mark.parametrize("margin", [0, 8])
def test_a_loss_that_is_not_finite_leaves_the_best_image(folder, margin):
  fields = {"paint.style_weight": 1e38, "paint.gram": "none"}
  fields["paint.margin"] = margin
  with pytest.raises(FloatingPointError, match=r"harbour: .*not finite"):
    run(folder, **fields)
  best = folder / "run" / "unfinished" / "harbour.png"
  assert images.read(best).shape == (32, 64, 3)
  assert not list((folder / "run" / "painted").iterdir())


def test_a_photograph_that_fails_costs_the_others_nothing(folder, monkeypatch):
  write(folder / "photographs" / "meadow.png", 40, 80, seed=4)
  paint_one = optimize.paint_one
  failed = threading.Event()

  def fail_first(*arguments, **options):
    if failed.is_set():
      return paint_one(*arguments, **options)
    failed.set()
    raise stylize.NotFiniteError(0, jnp.zeros((1, 32, 64, 3)))

  monkeypatch.setattr(optimize, "paint_one", fail_first)
  with pytest.raises(FloatingPointError, match="not finite"):
    run(folder)
  assert len(painted(folder / "run")) == 1
  assert len(painted(run(folder))) == 2


def test_luminance_keeps_the_chrominance_of_the_photograph(folder):
  painted = images.read(
    run(folder, **{"paint.colour": "luminance"}) / "painted" / "harbour.png"
  )
  photograph = images.fit(images.read(folder / "photographs/harbour.png"), 64)
  # Red less luminance, where nothing was clipped.
  inside = ((painted > 0) & (painted < 255)).all(axis=2)
  red = [
    image[inside] @ np.array([1 - 0.299, -0.587, -0.114])
    for image in (painted, photograph)
  ]
  np.testing.assert_allclose(*red, atol=2.5)


@pytest.mark.parametrize("colour", ["linear", "histogram"])
@pytest.mark.parametrize("recolour", ["style", "photograph"])
def test_colours_are_matched_before_painting(folder, colour, recolour):
  fields = {"paint.colour": colour, "paint.recolour": recolour}
  # Painted from the photograph, or from the recoloured one.
  brightness = paint_dark(folder, **fields, **{"paint.steps": 1})
  assert (brightness < 60) == (recolour == "photograph")


@pytest.mark.parametrize("colour", ["style", "linear", "histogram"])
def test_a_style_that_was_recoloured_keeps_the_photographs_colours(
  folder, colour
):
  # Nothing holds the photograph but the colours that the style was given.
  fields = {"paint.content_weight": 0.0, "paint.style_weight": 1.0}
  fields |= {"paint.style_terms": ("mean",), "paint.learning_rate": 0.1}
  brightness = paint_dark(
    folder, **fields, **{"paint.colour": colour, "paint.steps": 40}
  )
  assert (brightness < 80) == (colour == "style")


def paint_dark(folder, **fields):
  """The brightness of a painting in a dark style; the photograph has 128."""
  dark = np.full((48, 48, 3), 20, np.uint8) + pictures.noise(48, 48) // 8
  for name in ("0.png", "1.png"):
    images.write(folder / "style" / name, dark)
  painting = run(folder, **fields) / "painted" / "harbour.png"
  return images.read(painting).mean()


def test_each_photograph_is_painted_from_what_looks_like_it(folder):
  # One photograph looks like each style image.
  for name, seed in (("harbour", 1), ("meadow", 2)):
    colour = np.asarray([40, 40, 230] if seed == 1 else [40, 230, 40])
    for place in (f"photographs/{name}.png", f"style/{seed - 1}.png"):
      noise = pictures.noise(48, 64, seed) // 16
      images.write(folder / place, np.uint8(colour + noise - 8))
  nearest = run(folder, **{"paint.style_nearest": 1})
  sheets = {
    path.name: path.read_bytes() for path in (nearest / "nearest").iterdir()
  }
  assert set(sheets) == {"harbour.png", "meadow.png"}
  assert len(set(sheets.values())) == 2
  for name, number in (("harbour", 0), ("meadow", 1)):
    alone = folder / name
    changes = {
      "paint.content": str(folder / "photographs" / f"{name}.png"),
      "paint.style": str(folder / "style" / f"{number}.png"),
    }
    paint.paint(make_config(folder, **changes), alone)
    np.testing.assert_array_equal(
      *(images.read(one / f"painted/{name}.png") for one in (nearest, alone))
    )


@pytest.mark.parametrize("init", ["style", "colours"])
def test_a_style_that_weighs_nothing_gives_nothing(folder, init):
  first, other = (str(folder / "style" / f"{x}.png") for x in (0, 1))
  fields = {"paint.init": init, "paint.steps": 1}
  blend = {"paint.styles": (other,), "paint.blend": (0.0, 1.0)}
  blended = run(folder, **fields, **blend, **{"paint.style": first})
  blended = images.read(blended.rename(folder / "b") / "painted/harbour.png")
  alone = run(folder, **fields, **{"paint.style": other})
  alone = images.read(alone / "painted" / "harbour.png")
  np.testing.assert_array_equal(blended, alone)


def test_each_region_has_its_style(folder):
  for name, value in (("black", 0), ("white", 255)):
    flat = np.full((32, 32, 3), value, np.uint8)
    images.write(folder / f"{name}.png", flat)
  left = np.zeros((20, 40, 3), np.uint8)
  left[:, :20] = 255
  images.write(folder / "left.png", left)
  images.write(folder / "right.png", 255 - left)
  fields = {
    "paint.style": str(folder / "black.png"),
    "paint.styles": (str(folder / "white.png"),),
    "paint.masks": (str(folder / "left.png"), str(folder / "right.png")),
    # A Gram matrix does not tell black from white.
    "paint.style_terms": ("mean_std",),
    "paint.content_weight": 0.0,
    "paint.steps": 8,
  }
  painted = images.read(run(folder, **fields) / "painted" / "harbour.png")
  assert painted[:, :24].mean() < 115 and painted[:, 40:].mean() > 140


def test_tiles_paint_the_same(folder):
  fields = {"paint.content": str(folder / "photographs" / "wide.png")}
  write(folder / "photographs" / "wide.png", 50, 90)
  whole = images.read(run(folder, **fields) / "painted" / "wide.png")
  (folder / "run").rename(folder / "whole")
  workdir = run(folder, **fields, **{"paint.tile": 16})
  tiled = images.read(workdir / "painted" / "wide.png")
  np.testing.assert_allclose(tiled.astype(int), whole.astype(int), atol=1)


def test_broken_images_of_a_folder_are_skipped_with_one_warning(folder, caplog):
  for name in ("photographs", "style"):
    (folder / name / "broken.jpg").write_bytes(b"no image")
  assert len(list((run(folder) / "painted").iterdir())) == 1
  content, style = [line for line in caplog.messages if "broken.jpg" in line]
  assert content.startswith("content: 1 of 2 images were skipped")
  assert style.startswith("style: 1 of 3 images were skipped")


def test_photographs_damaged_in_their_pixels_are_skipped(folder, caplog):
  photographs = folder / "photographs"
  data = (photographs / "harbour.png").read_bytes()
  (photographs / "damaged.png").write_bytes(data[: len(data) // 2])
  for _ in range(2):
    caplog.clear()
    assert len(list((run(folder) / "painted").iterdir())) == 1
    (line,) = [line for line in caplog.messages if "damaged.png" in line]
    assert line.startswith("content: 1 of 2 images were skipped")


def test_damaged_pixels_alone_are_refused_before_weights_are_read(
  folder, monkeypatch
):
  monkeypatch.setattr(weights, "load", None)
  path = folder / "photographs" / "harbour.png"
  path.write_bytes(path.read_bytes()[:2000])
  refused(folder, "harbour.png: cannot be read")


def test_a_photograph_is_read_once_at_each_start(folder, monkeypatch):
  read, names = pathlib.Path.read_bytes, []

  def watch(path):
    names.append(path.name)
    return read(path)

  monkeypatch.setattr(pathlib.Path, "read_bytes", watch)
  write(folder / "photographs" / "pier.png", 40, 80)
  for times in (1, 2):
    run(folder)
    assert names.count("harbour.png") == names.count("pier.png") == times


@pytest.mark.parametrize("field", ["paint.content", "paint.style"])
def test_a_path_without_readable_images_is_refused(folder, field):
  for path in ("broken/a.jpg", "broken/b.jpg", "empty/notes.txt"):
    (folder / path).parent.mkdir(exist_ok=True)
    (folder / path).write_bytes(b"no image")
  refused(folder, f"{field} is empty", **{field: ""})
  for path in ("nowhere", "empty", "broken/a.jpg"):
    refused(folder, path, **{field: str(folder / path)})
  refused(folder, "none of its 2", **{field: str(folder / "broken")})
  assert not (folder / "run").exists()


def test_a_narrow_photograph_is_refused(folder):
  write(folder / "strip.png", 10, 400)
  told = "too narrow.* or raise paint.size"
  refused(folder, told, **{"paint.content": str(folder / "strip.png")})


def test_a_style_image_too_narrow_for_its_layers_is_refused(folder):
  write(folder / "frieze.png", 20, 80)
  fields = {"paint.style_layers": ("conv_1", "pool5")}
  fields["paint.style"] = str(folder / "frieze.png")
  refused(folder, "paint.style: .* too small for pool5", **fields)
  assert not (folder / "run" / "config.json").exists()


def test_a_photograph_too_narrow_for_the_coarsest_level_is_refused(folder):
  write(folder / "wide.png", 40, 160)
  fields = {"paint.content": str(folder / "wide.png"), "paint.size": 128}
  run(folder, **fields, **{"paint.coarsest": 64, "paint.steps": 1})
  refused(
    folder,
    "too narrow.* 46 are needed; crop it, or raise paint.coarsest",
    **fields,
    **{"paint.coarsest": 48, "paint.steps": 1},
  )


def test_a_missing_mask_can_be_corrected_in_the_same_run_folder(folder):
  for name in ("one", "two"):
    images.write(folder / f"{name}.png", np.full((20, 40, 3), 255, np.uint8))
  fields = {
    "paint.styles": (str(folder / "style" / "0.png"),),
    "paint.steps": 1,
  }
  masks = [str(folder / "one.png"), str(folder / "nowhere.png")]
  refused(folder, "nowhere.png", **fields, **{"paint.masks": tuple(masks)})
  masks[1] = str(folder / "two.png")
  run(folder, **fields, **{"paint.masks": tuple(masks)})


def test_masks_of_other_proportions_are_refused_before_anything_is_painted(
  folder,
):
  write(folder / "photographs" / "pier.png", 80, 40)
  images.write(folder / "wide.png", np.full((20, 40, 3), 255, np.uint8))
  fields = {"paint.masks": (str(folder / "wide.png"),)}
  refused(folder, "wide.png has other proportions than pier", **fields)
  assert not (folder / "run" / "config.json").exists()


def test_a_blend_of_regions_is_refused(folder):
  fields = {
    "paint.styles": (str(folder / "style" / "0.png"),),
    "paint.masks": ("one.png", "two.png"),
    "paint.blend": (0.5, 0.5),
  }
  refused(folder, "paint.blend and paint.masks", **fields)


def test_a_photograph_may_have_the_name_of_an_unreadable_one(folder):
  (folder / "photographs" / "harbour.heic").touch()
  content = str(folder / "photographs")
  (found,) = photographs.find(
    content, longer_side=64, min_side=32, field="paint.size"
  )
  assert found.name == "harbour.png"


def test_images_beside_a_config_of_another_program_are_a_style(folder):
  (folder / "style" / "config.json").write_text('{"model": "other"}')
  key, style = jax.random.key(0), str(folder / "style")
  found = opening.open_style(make_config(folder), key, style)
  assert isinstance(found, styles.Files)


def test_two_photographs_of_one_name_are_refused(folder):
  write(folder / "photographs" / "harbour.jpg", 40, 40)
  refused(folder, "rename one")


def test_a_run_folder_without_a_generator_is_refused_as_style(folder):
  run(folder).rename(folder / "trained")
  refused(folder, "trained", **{"paint.style": str(folder / "trained")})


@pytest.mark.parametrize(
  ("name", "match"),
  [
    ("photographs/harbour.png", "another photograph"),
    ("style/0.png", r"style\.json.*--workdir"),
    ("style/2.png", "is not the style"),
  ],
)
def test_a_changed_image_is_refused_and_paintings_are_kept(folder, name, match):
  painting = run(folder) / "painted" / "harbour.png"
  before = painting.read_bytes()
  write(folder / name, 40, 80, seed=9)
  refused(folder, match)
  assert painting.read_bytes() == before


def test_another_config_in_the_same_run_folder_is_refused(folder):
  run(folder)
  refused(folder, r"paint\.style_weight", **{"paint.style_weight": 1.0})


def test_refused_weights_can_be_corrected_in_the_same_run_folder(folder):
  refused(
    folder,
    "features.weights: .*nowhere.h5",
    **{"features.weights": "/nowhere.h5"},
  )
  assert (run(folder) / "painted" / "harbour.png").exists()


@pytest.mark.parametrize("form", ["jpeg", "webp"])
def test_16_bits_are_refused_in_formats_of_8(folder, form):
  fields = {"paint.bits": 16, "paint.format": form}
  refused(folder, f"paint.bits is 16, and {form} holds 8", **fields)
  assert not (folder / "run").exists()


def test_more_pixels_than_the_format_holds_are_refused(folder):
  fields = {"paint.size": 16_384, "paint.format": "webp"}
  refused(folder, "webp holds 16383 pixels a side", **fields)


def test_losses_without_any_weight_are_refused(folder):
  names = ("style_weight", "content_weight", "tv_weight")
  fields = {f"paint.{name}": 0.0 for name in names}
  refused(folder, "are all 0; weigh one", **fields)


def test_a_folder_of_previews_that_cannot_be_written_is_refused(folder):
  (folder / "run").mkdir()
  (folder / "run" / "unfinished").write_text("")
  refused(folder, "unfinished cannot be written")


@pytest.mark.parametrize("name", ["masks", "style_masks", "init"])
def test_another_mask_or_first_image_is_another_style(folder, name):
  file = folder / "white.png"
  images.write(file, np.full((40, 80, 3), 255, np.uint8))
  value = str(file) if name == "init" else (str(file),)
  run(folder, **{f"paint.{name}": value})
  images.write(file, np.full((40, 80, 3), 200, np.uint8))
  refused(folder, "masks or first image", **{f"paint.{name}": value})


def test_a_file_of_the_name_of_a_start_is_not_read(folder, monkeypatch):
  monkeypatch.chdir(folder)
  (folder / "grey").write_text("notes")
  style = (run(folder, **{"paint.init": "grey"}) / "style.json").read_text()
  assert "files" not in json.loads(style)


def test_a_coarsest_size_beyond_the_painting_is_that_of_the_painting(folder):
  workdir = run(folder, **{"paint.coarsest": 96, "paint.coarsest_steps": 9})
  assert [line["step"] for line in read_metrics(workdir)] == [0, 2]


def test_a_chain_of_one_layer_is_refused(folder):
  fields = {
    "paint.style_terms": ("gram_chain",),
    "paint.style_layers": ("conv_1",),
  }
  refused(folder, "at least two in paint.style_layers", **fields)


@pytest.mark.parametrize(
  ("terms", "weights"),
  [(("gram_chain",), (1.0, 0.0)), (("gram", "gram_chain"), ((1, 1), (1, 0)))],
)
def test_a_chain_whose_pairs_weigh_nothing_is_refused(folder, terms, weights):
  fields = {
    "paint.style_terms": terms,
    "paint.style_layers": ("conv_1", "conv_2"),
    "paint.style_layer_weights": weights,
  }
  refused(folder, "gram_chain weighs two layers by the later", **fields)


@pytest.mark.parametrize(
  ("fields", "value"),
  [
    ("features.net features.pooling features.padding", "vgg11"),
    ("paint.gram paint.optimizer paint.init paint.format", "sgd"),
    ("paint.bits", 12),
    ("paint.size paint.style_size", 8),
    ("paint.steps paint.log_every paint.style_batch paint.learning_rate", 0),
    ("paint.generated_share paint.style_nearest paint.margin", -1),
    ("paint.margin", 257),
    ("paint.style_batch", 10_001),
    ("paint.style_weight paint.content_weight paint.tv_weight", -1),
    ("paint.style_layers paint.content_layers", ("conv_99",)),
    ("paint.style_layers paint.content_layers", ()),
    ("paint.style_layers paint.content_layers", ("conv_1", "conv_1")),
    ("paint.style_terms paint.content_terms", ("moment",)),
    ("paint.style_terms paint.content_terms", ()),
    ("paint.colour paint.recolour paint.colour_root", "sepia"),
    ("paint.coarsest", 8),
    ("paint.ema_decay", 1.0),
    ("paint.save_every", 0),
    ("paint.blend", (1.0, 1.0)),
    ("paint.blend", (0.0,)),
    ("paint.blend", ("a",)),
    ("paint.tv_power", 3),
    # Of other colours than those that the page has.
    ("paint.recolour", "photograph"),
    ("paint.colour_root", "pca"),
    ("paint.styles paint.masks paint.style_masks", (5,)),
    ("paint.style_layers paint.content_layers", ([1],)),
    ("paint.style_terms paint.content_terms", ([1],)),
    ("paint.style_layer_weights", (0.0, 0.0)),
    ("paint.style_layer_weights", ((1.0, 1.0), (1.0, 1.0))),
    ("paint.style_layer_weights", ((1.0, 1.0, 1.0),)),
    ("paint.style_layer_weights", (1.0, (1.0,))),
    ("paint.content_layer_weights", ((),)),
    ("paint.content_layer_weights", (1.0, 1.0)),
    ("paint.style_term_weights paint.content_term_weights", (0,)),
    ("paint.style_layer_weights", (1.0, "x")),
    ("paint.masks paint.style_masks", ("a.png", "b.png")),
    ("paint.style_layer_weights paint.style_term_weights", (1.0, 1.0, 1.0)),
    ("paint.content_term_weights", (1.0, 1.0)),
    ("paint.style_layer_weights", (1.0,)),
    ("paint.style_layer_weights", (1.0, -1.0)),
  ],
)
def test_an_invalid_field_is_named_in_one_line(folder, fields, value):
  for field in fields.split():
    with pytest.raises(errors.UserError, match=field) as caught:
      settings.check(make_config(folder, **{field: value}))
    assert "\n" not in str(caught.value)
