"""WikiArt's landscapes as a data set of tensorflow_datasets.

  python -m astgan.data.wikiart_landscapes WIKIART

prepares the data set `wikiart_landscapes` in --data_dir, ~/tensorflow_datasets,
from a folder that was downloaded by hand, of one of two kinds:

- ArtGAN's: STYLE/ARTIST_TITLE.jpg, and its lists genre_train.csv, genre_val.csv
  and genre_class.txt anywhere in the folder. These name the genre of two thirds
  of the 81,446 paintings.
- GANGogh's: GENRE/NUMBER.jpg, without artists and styles.

Nothing needs TensorFlow. The bytes of the files are kept as they are. A
training selects from it by artist, style or genre:

  --config.data.source=tfds:wikiart_landscapes:artist=claude-monet

With --genre=all the data set holds all genres and is `wikiart_landscapes/all`.

References: Tan et al., Improved ArtGAN for Conditional Synthesis of Natural
  Image and Artwork, 2019; Jones and Bonafilia, GANGogh, 2017; the Ast-GAN
  report, section 2, whose data are 15,000 landscapes of WikiArt.
"""

import argparse
import csv
import os
import pathlib
import sys
from collections.abc import Iterator

import tensorflow_datasets as tfds

from astgan import errors, messages
from astgan.data import image_files, images

GENRE = "landscape"


class WikiartLandscapes(tfds.core.GeneratorBasedBuilder):
  """Paintings with artist, style and genre; "" where one is not known."""

  VERSION = tfds.core.Version("1.0.0")
  BUILDER_CONFIGS = (
    tfds.core.BuilderConfig(name="landscapes", description="Landscapes."),
    tfds.core.BuilderConfig(name="all", description="All genres."),
  )
  MANUAL_DOWNLOAD_INSTRUCTIONS = (
    "Download ArtGAN's or GANGogh's WikiArt by hand and name its folder."
  )

  def _info(self) -> tfds.core.DatasetInfo:
    text = tfds.features.Text
    return tfds.core.DatasetInfo(
      builder=self,
      description="Paintings of WikiArt.",
      homepage="https://www.wikiart.org",
      features=tfds.features.FeaturesDict(
        {
          "image": tfds.features.Image(shape=(None, None, 3)),
          "artist": text(),
          "style": text(),
          "genre": text(),
          "file": text(),
        }
      ),
    )

  def _split_generators(self, downloads):
    folder = pathlib.Path(downloads.manual_dir)
    genre = GENRE if self.builder_config.name == "landscapes" else None
    return {"train": self._generate_examples(folder, genre)}

  def _generate_examples(self, folder, genre):
    for labels in describe(folder):
      path = folder / labels["file"]
      if (genre is None or labels["genre"] == genre) and _is_image(path):
        yield labels["file"], labels | {"image": path.read_bytes()}


def describe(folder: pathlib.Path) -> Iterator[dict[str, str]]:
  """The artist, style, genre and relative path of every painting.

  Raises:
    UserError: the folder is missing, holds no images, or has a list of genres
      without their names.
  """
  genres = _read_genres(folder)
  for path in images.find(folder):
    relative = path.relative_to(folder)
    group = relative.parts[-2] if len(relative.parts) > 1 else ""
    artist, has_artist, _ = relative.stem.partition("_")
    if genres:
      genre = genres.get("/".join(relative.parts[-2:]), "")
      labels = {"style": group, "genre": genre}
    else:
      has_artist = ""
      labels = {"style": "", "genre": group.lower().replace("-", "_")}
    labels["artist"] = artist if has_artist else ""
    yield labels | {"file": relative.as_posix()}


def _read_genres(folder: pathlib.Path) -> dict[str, str]:
  """The genre of each listed STYLE/FILE; nothing where there are no lists."""
  lists = sorted(folder.rglob("genre_*.csv"))
  if not lists:
    return {}
  found = sorted(folder.rglob("genre_class*"))
  if not found:
    raise errors.UserError(
      f"{lists[0]}: there is no genre_class.txt with the names; put it beside"
    )
  # Lines such as `4 landscape`.
  lines = found[0].read_text("utf-8", "replace").splitlines()
  names = dict(line.split(maxsplit=1) for line in lines if " " in line.strip())
  genres = {}
  for path in lists:
    with open(path, newline="", encoding="utf-8", errors="replace") as file:
      for row in csv.reader(file):
        if len(row) != 2 or row[1].strip() not in names:
          raise errors.UserError(
            f"{path}: a line is not STYLE/FILE,GENRE of {found[0].name}:"
            f" {','.join(row)}"
          )
        genres[row[0]] = names[row[1].strip()]
  return genres


def _is_image(path: pathlib.Path) -> bool:
  """Whether its header is that of an image; says so if not."""
  try:
    with image_files.opened(path):
      return True
  except errors.UserError as error:
    print(f"left out {error}", file=sys.stderr)
    return False


def build(
  folder: pathlib.Path,
  *,
  config: str = "landscapes",
  data_dir: pathlib.Path | None = None,
) -> tfds.core.DatasetInfo:
  """Prepares the paintings of the folder, unless they are prepared.

  Args:
    folder: the download.
    config: landscapes or all.
    data_dir: where prepared data sets lie; None is ~/tensorflow_datasets.

  Raises:
    UserError: as `describe`, or there are no landscapes.
  """
  # Path.expanduser raises for the home of nobody.
  folder = pathlib.Path(os.path.expanduser(folder))
  if not any(labels["genre"] == GENRE for labels in describe(folder)):
    raise errors.UserError(
      f"{folder}: holds no landscapes; they are listed in genre_train.csv or"
      f" lie in a folder `{GENRE}`"
    )
  builder = WikiartLandscapes(
    config=config, data_dir=data_dir, file_format="array_record"
  )
  builder.download_and_prepare(
    download_config=tfds.download.DownloadConfig(manual_dir=folder)
  )
  return builder.info


def main(arguments: list[str]) -> int:
  """Builds it; the exit status is 2 for a mistake of the user."""
  parser = argparse.ArgumentParser(
    prog="python -m astgan.data.wikiart_landscapes",
    description=__doc__,
    formatter_class=argparse.RawDescriptionHelpFormatter,
  )
  parser.add_argument("wikiart", type=pathlib.Path)
  configs = [config.name for config in WikiartLandscapes.BUILDER_CONFIGS]
  parser.add_argument("--genre", choices=configs, default=configs[0])
  parser.add_argument("--data_dir", type=pathlib.Path)
  given = parser.parse_args(arguments)
  with messages.shown():
    try:
      info = build(given.wikiart, config=given.genre, data_dir=given.data_dir)
    except (errors.UserError, OSError) as error:
      print(f"astgan: {error}", file=sys.stderr)
      return 2
    count = info.splits["train"].num_examples
    print(f"{count} paintings in {info.data_dir}")
  return 0


if __name__ == "__main__":
  sys.exit(main(sys.argv[1:]))
