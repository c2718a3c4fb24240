"""The builder of `wikiart_landscapes`, and what a source selects from it."""

import sys

import numpy as np
import pytest
from PIL import Image
from tensorflow_datasets.core import constants

from astgan import errors
from astgan.data import images, sources, wikiart_landscapes
from configs import gan
from tests import pictures

# File, and its genre in the lists; the last is no image.
PAINTINGS = {
  "Impressionism/claude-monet_the-cliff.jpg": "4",
  "Impressionism/claude-monet_camille.jpg": "6",
  "Impressionism/alfred-sisley_a-village.jpg": "4",
  "Impressionism/alfred-sisley_unlisted.jpg": None,
  "Realism/isaac-levitan_lake.jpg": "4",
  "Realism/isaac-levitan_broken.jpg": "4",
}


@pytest.fixture
def wikiart(tmp_path):
  """A download as ArtGAN has it."""
  root = tmp_path / "wikiart"
  lines = {"train": [], "val": []}
  for number, (name, genre) in enumerate(PAINTINGS.items()):
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pictures.noise(20, 30, number)).save(path)
    if genre:
      lines["val" if number > 2 else "train"].append(f"{name},{genre}\n")
  path.write_bytes(b"no image")
  lists = root / "csv"
  lists.mkdir()
  for name, rows in lines.items():
    (lists / f"genre_{name}.csv").write_text("".join(rows))
  (lists / "genre_class.txt").write_text("4 landscape\n6 portrait\n")
  return root


@pytest.fixture
def built(wikiart, tmp_path, monkeypatch):
  """Both data sets, prepared in the folder that tfds reads."""
  data_dir = tmp_path / "prepared"
  monkeypatch.setattr(constants, "DATA_DIR", str(data_dir))
  for config in ("landscapes", "all"):
    wikiart_landscapes.build(wikiart, config=config, data_dir=data_dir)
  return wikiart


def opened(name):
  data = gan.get_config().data
  data.source = f"tfds:wikiart_landscapes{name}"
  return sources.open_source(data, side=16)


def files(root, source):
  """Which of the files a source has, by their pixels."""
  by_pixels = {
    images.read(root / name).tobytes(): name.split("_")[1].split(".")[0]
    for name in PAINTINGS
    if "broken" not in name
  }
  count = len(source.labels)
  return {by_pixels[source.read(n).tobytes()] for n in range(count)}


@pytest.mark.parametrize(
  ("name", "expected"),
  [
    ("", {"the-cliff", "a-village", "lake"}),
    ("/all", {"the-cliff", "camille", "a-village", "unlisted", "lake"}),
    (":artist=claude-monet", {"the-cliff"}),
    (":train:artist=claude-monet|isaac-levitan", {"the-cliff", "lake"}),
    ("/all:artist=claude-monet,genre=portrait", {"camille"}),
    ("/all:train[:100%]:style=Realism", {"lake"}),
    ("/all:genre=landscape,style=Impressionism", {"the-cliff", "a-village"}),
  ],
)
def test_a_source_selects_by_artist_style_and_genre(built, name, expected):
  source = opened(name)
  assert len(source.labels) == len(expected)
  assert files(built, source) == expected
  assert "tensorflow" not in sys.modules


def test_selections_have_signatures_of_their_own(built):
  names = ("", ":artist=claude-monet", ":artist=isaac-levitan")
  assert len({opened(name).signature for name in names}) == 3


@pytest.mark.parametrize(
  ("name", "told"),
  [
    (":painter=monet", "no field painter; it has artist, style, genre, file"),
    (":image=x", "no field image"),
    (":artist=monet", "artist is alfred-sisley, claude-monet, isaac-levitan"),
    (":artist=claude-monet,style=Realism", "selects none"),
    (":artist=", "is no data set; it is tfds:NAME"),
    (":train:val:artist=x", "val"),
    ("/some", "python -m astgan.data.wikiart_landscapes WIKIART"),
  ],
)
def test_what_selects_nothing_is_refused_in_one_line(built, name, told):
  with pytest.raises(errors.UserError, match=told) as caught:
    opened(name)
  assert str(caught.value).startswith("config.data.source=tfds:wikiart")
  assert "\n" not in str(caught.value)


def test_folders_that_are_genres_need_no_lists(tmp_path, capsys, monkeypatch):
  monkeypatch.setattr(constants, "DATA_DIR", str(tmp_path / "prepared"))
  for number, genre in enumerate(("landscape", "nude-painting")):
    (tmp_path / "gangogh" / genre).mkdir(parents=True)
    pixels = pictures.noise(20, 30, number)
    images.write(tmp_path / "gangogh" / genre / "1.png", pixels)
  arguments = [str(tmp_path / "gangogh"), f"--data_dir={tmp_path / 'prepared'}"]
  assert wikiart_landscapes.main(arguments) == 0
  assert "1 paintings in " in capsys.readouterr().out
  source = opened(":genre=landscape")
  np.testing.assert_array_equal(source.read(0), pictures.noise(20, 30, 0))
  assert wikiart_landscapes.main([*arguments, "--genre=all"]) == 0
  assert len(opened("/all:genre=nude_painting").labels) == 1


def damage(root, name):
  """A download that cannot be built."""
  if name == "missing":
    return root / "missing"
  if name == "no user":
    return "~no_user/wikiart"
  if name == "no landscapes":
    return root / "Realism"
  if name == "no names":
    (root / "csv" / "genre_class.txt").unlink()
  if name == "a bad line":
    (root / "csv" / "genre_val.csv").write_text("Realism/a.jpg,99\n")
  return root


@pytest.mark.parametrize(
  ("name", "told"),
  [
    ("missing", "there is no such file or folder"),
    ("no user", "~no_user/wikiart: there is no such file or folder"),
    ("no landscapes", "holds no landscapes"),
    ("no names", "there is no genre_class.txt"),
    ("a bad line", "genre_val.csv: a line is not STYLE/FILE,GENRE"),
  ],
)
def test_a_download_that_cannot_be_is_refused(wikiart, capsys, name, told):
  folder = damage(wikiart, name)
  data_dir = wikiart.parent / "prepared"
  status = wikiart_landscapes.main([str(folder), f"--data_dir={data_dir}"])
  (line,) = capsys.readouterr().err.splitlines()
  assert (status, told in line) == (2, True)
  assert not data_dir.exists()


def test_a_damaged_painting_of_a_data_set_is_named(tmp_path, monkeypatch):
  data_dir = tmp_path / "prepared"
  monkeypatch.setattr(constants, "DATA_DIR", str(data_dir))
  path = tmp_path / "gangogh" / "landscape" / "1.png"
  path.parent.mkdir(parents=True)
  images.write(path, pictures.noise(20, 30, 0))
  path.write_bytes(path.read_bytes()[:1000])
  wikiart_landscapes.build(tmp_path / "gangogh", data_dir=data_dir)
  with pytest.raises(errors.UserError, match="wikiart_landscapes 0: cannot be"):
    opened("").read(0)
