"""The report of a sweep: numbers by hand."""

import numpy as np
from PIL import Image

from astgan.sweep import outcome, plan, report
from configs import smoke


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
  curves = {name: [(1, 2.0)] for name in (*names, "images_per_second")}
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
