"""The report of a sweep: numbers by hand."""

import csv
import itertools

import numpy as np
from matplotlib import axes, figure
from PIL import Image

from astgan.sweep import charts, outcome, plan, report
from configs import nst, smoke


def result(setting, seed, values, workdir=None):
  run = plan.Run((setting,), seed, workdir, (), smoke.get_config())
  curves = {"kernel": list(enumerate(values))} if values else {}
  return outcome.Result(run, "done" if values else "failed", 90.0, curves)


RESULTS = [
  result("a", 0, [9.0] * 18 + [4.0, 6.0]),
  result("a", 1, [3.0]),
  result("b", 0, [2.0]),
  result("c", 0, []),
]


def test_the_end_of_a_curve_is_the_mean_of_its_last_tenth():
  assert [r.end("kernel") for r in RESULTS[:3]] == [5, 3, 2]
  assert np.isnan(RESULTS[3].end("kernel"))


def test_a_row_is_the_mean_and_deviation_over_seeds_lowest_first():
  # The deviation of 3 and 5 is sqrt(2).
  assert report.table(RESULTS, scalars=(), rank_by="kernel").splitlines() == [
    "| setting | runs | minutes | kernel |",
    "| --- | --- | --- | --- |",
    "| b | 1 done | 1.5 | 2 |",
    "| a | 2 done | 1.5 | 4 ± 1.4 |",
    "| c | 1 failed | 1.5 | - |",
  ]


def test_scalars_are_named_by_their_first_words_in_the_order_asked():
  run = plan.Run(("a",), 0, None, (), smoke.get_config())
  names = ("loss", "kernel_random_30", "kernel_random_30_std", "kernels", "x")
  speeds = ("images_per_second", "share_waiting_for_data")
  curves = {name: [(1, 2.0)] for name in (*names, *speeds)}
  results = [outcome.Result(run, "done", 9.0, curves)]
  assert report.columns(results, ()) == sorted(names)
  found = report.columns(results, ("x", "kernel", "absent"))
  assert found == ["x", "kernel_random_30"]


def test_without_a_rank_rows_keep_the_order_of_the_plan():
  rows = report.table(RESULTS, scalars=(), rank_by="").splitlines()[2:]
  assert [row[2] for row in rows] == ["a", "b", "c"]


def test_the_contact_sheet_has_a_captioned_strip_a_run(tmp_path):
  (tmp_path / "samples").mkdir()
  # 16 images of 32 pixels with gaps of 2: four rows, of which two are shown.
  colours = [(200, 10, 10), (10, 200, 10), (10, 10, 200), (0, 0, 0)]
  rows = [np.tile(np.uint8(colour), (34, 134, 1)) for colour in colours]
  sheet = np.concatenate(rows)[:134]
  for step, image in ((5, sheet[::-1]), (10, sheet)):
    path = tmp_path / "samples" / f"step_{step:08d}.png"
    Image.fromarray(image).save(path)
  results = [result("a", 0, [1.0], tmp_path)]
  report.write(tmp_path, results, scalars=(), rank_by="")
  drawn = np.asarray(Image.open(tmp_path / "sheet.png"))
  found = {tuple(colour) for colour in drawn.reshape(-1, 3)}
  assert set(colours[:2]) <= found
  assert colours[2] not in found


COLOURS = {
  ("a", "east"): (200, 10, 10),
  ("a", "west"): (10, 200, 10),
  ("b", "east"): (10, 10, 200),
  ("b", "west"): (90, 90, 10),
}


def paintings(folder, seeds=(0,)):
  """Results of a grid of two fields over two photographs, 32 by 48 pixels."""
  (folder / "photographs").mkdir(parents=True)
  for stem in ("east", "west"):
    Image.new("RGB", (48, 32)).save(folder / "photographs" / f"{stem}.png")
  found = []
  for choice, seed in itertools.product("ab", seeds):
    config = nst.get_config()
    config.paint.content = str(folder / "photographs")
    config.paint.size = 48
    workdir = folder / f"{choice}{seed}"
    (workdir / "painted").mkdir(parents=True)
    run = plan.Run((choice, "last"), seed, workdir, (), config)
    for stem in ("east", "west"):
      image = Image.new("RGB", (48, 32), COLOURS[choice, stem])
      image.save(workdir / "painted" / f"{stem}.png")
      values = {"loss": [4.0, 3.0], "content/loss": [0.0, 2.0]}
      values["style/loss"] = [9.0, 1.0 if choice == "a" else 4.0]
      curves = {name: list(enumerate(v)) for name, v in values.items()}
      found.append(outcome.Result(run, "done", 60.0, curves, stem))
  return found


def test_each_photograph_has_a_sheet_that_shows_all_of_every_painting(tmp_path):
  report.write(tmp_path, paintings(tmp_path), scalars=(), rank_by="")
  for stem in ("east", "west"):
    sheet = np.asarray(Image.open(tmp_path / f"sheet_{stem}.png"))
    for (_, shown), colour in COLOURS.items():
      pixels = np.count_nonzero((sheet == colour).all(axis=-1))
      assert pixels == (32 * 48 if shown == stem else 0)
  assert not (tmp_path / "sheet.png").exists()


def test_the_other_fields_of_a_grid_are_rows_from_top_to_bottom(tmp_path):
  report.write(tmp_path, paintings(tmp_path, (0, 1)), scalars=(), rank_by="")
  sheet = np.asarray(Image.open(tmp_path / "sheet_east.png"))
  rows, columns = {}, {}
  for name in "ab":
    places = np.argwhere((sheet == COLOURS[name, "east"]).all(axis=-1))
    rows[name], columns[name] = np.unique(places[:, 0]), set(places[:, 1])
    # The two seeds stand side by side.
    assert (len(rows[name]), len(columns[name])) == (32, 96)
  assert rows["a"].max() < rows["b"].min()
  assert columns["a"] == columns["b"]


def test_the_csv_has_the_last_loss_of_every_painting(tmp_path):
  report.write(tmp_path, paintings(tmp_path), scalars=(), rank_by="")
  text = (tmp_path / "sweep.csv").read_text()
  rows = list(csv.DictReader(text.splitlines()))
  subjects = [(row["setting"], row["photograph"]) for row in rows]
  assert subjects == [(f"{a}, last", stem) for a, stem in COLOURS]
  assert [float(row["style/loss"]) for row in rows] == [1, 1, 4, 4]
  assert [float(row["loss"]) for row in rows] == [3] * 4


def test_the_largest_error_has_the_longest_bar(tmp_path, monkeypatch):
  drawn = []
  monkeypatch.setattr(
    axes.Axes, "barh", lambda self, y, width, **_: drawn.append(list(width))
  )
  monkeypatch.setattr(figure.Figure, "legend", lambda *_, **__: None)
  charts.errors(tmp_path / "errors.png", paintings(tmp_path))
  assert drawn == [[1.0, 1.0], [0.25, 1.0]]
