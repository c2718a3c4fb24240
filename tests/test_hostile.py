"""Hostile names, fields and files; the benchmark tries many more."""

import functools
import io
import pathlib
import pickle
import random
import subprocess
import sys
import zipfile

import h5py
import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

from astgan import errors, main, pages
from astgan.data import images, sources
from astgan.features import archives, files, vgg
from configs import gan
from tests import pictures
from tests.benchmarks import hostile

ROOT = pathlib.Path(__file__).parents[1]
LARGE = "9" * 20

property_of = functools.partial(
  hypothesis.settings,
  deadline=None,
  derandomize=True,
  database=None,
  suppress_health_check=list(hypothesis.HealthCheck),
)


def assert_one_line(error):
  assert str(error) and "\n" not in str(error)


@property_of(max_examples=60)
@hypothesis.given(
  st.sampled_from(["", "folder:", "folder:a/", "tfds:", "landscapes", "x:"]),
  # A whole disk would be searched.
  st.text(max_size=300).filter(
    lambda text: text[:1] not in ("", "/", ".", "~")
  ),
)
def test_any_name_of_a_source_is_opened_or_refused_in_one_line(kind, text):
  data = gan.get_config().data
  data.update(source=kind + text, count=2)
  try:
    sources.open_source(data, side=8)
  except errors.UserError as error:
    assert_one_line(error)


@property_of(max_examples=40)
@hypothesis.given(
  st.sampled_from(sorted(hostile.flat(gan.get_config()))) | st.text(max_size=9),
  st.text(max_size=20) | st.sampled_from(hostile.VALUES),
)
def test_any_field_is_set_or_refused_in_one_line(name, value):
  page = f"--config={ROOT / 'configs' / 'gan.py'}"
  try:
    pages.read([page, f"--config.{name}={value}"])
  except errors.UserError as error:
    assert_one_line(error)


@property_of(max_examples=60)
@hypothesis.given(
  st.from_regex(r"(conv|relu|pool|block)[_0-9a-z]{0,12}") | st.text()
)
def test_any_name_of_a_layer_is_known_or_refused(name):
  try:
    vgg.check_taps("vgg19", [name])
    assert name in vgg.layers_by_tap("vgg19")
  except ValueError as error:
    assert repr(name) in str(error) or name in str(error)


@pytest.mark.parametrize(
  ("page", "field"),
  [
    ("smoke", "data.count"), ("fast", "paint.steps"), ("sample", "sample.count")
  ],
)  # fmt: skip
def test_a_number_that_no_device_holds_is_refused(
  page, field, tmp_path, capsys
):
  images.write(tmp_path / "a.png", pictures.noise(48, 48))
  paths = [f"--config.paint.{x}={tmp_path}/a.png" for x in ("content", "style")]
  status = main.main(
    [
      f"--config={ROOT / 'configs' / f'{page}.py'}",
      f"--workdir={tmp_path / 'run'}",
      f"--config.{field}={LARGE}",
      *(paths if page == "fast" else []),
    ]
  )
  (line,) = capsys.readouterr().err.splitlines()
  assert status == 2 and f"config.{field}" in line and LARGE in line


@pictures.needs_shared
def test_a_damaged_unusual_image_is_read_or_refused(tmp_path):
  draws = random.Random(0)
  seeds = [
    path
    for name in ("odd", "odd_broken")
    for path in sorted((pictures.SHARED / name).rglob("*"))
    if path.suffix.lower() in images.SUFFIXES
  ]
  assert seeds
  for seed in seeds:
    path = tmp_path / f"damaged{seed.suffix}"
    path.write_bytes(hostile.damaged(draws, seed.read_bytes()))
    try:
      assert images.read(path).shape[2] == 3
    except errors.UserError as error:
      assert_one_line(error)


def test_an_image_above_the_limit_is_refused_before_it_is_decoded(tmp_path):
  header = b"P6 9460 9460 255\n"  # 89,491,600 pixels, of which there is none.
  (tmp_path / "a.ppm").write_bytes(header)
  with pytest.raises(errors.UserError, match="more than 89,478,485 pixels"):
    images.read(tmp_path / "a.ppm")


@pytest.mark.parametrize(
  ("pickled", "reason"),
  [
    # A number of the memo, for which CPython makes room: 32 GB.
    (b"\x80\x02]r\xff\xff\xff\x7f.", "claims more than"),
    # Objects of terabytes.
    (b"\x80\x05\x96" + (10**13).to_bytes(8, "little") + b".", "truncated"),
    (b"\x80\x05\x8e" + (10**13).to_bytes(8, "little") + b".", "truncated"),
  ],
)
def test_a_pickle_that_claims_more_than_it_holds_is_refused(
  tmp_path, pickled, reason
):
  (tmp_path / "a").write_bytes(pickled)
  with pytest.raises(pickle.UnpicklingError, match=reason):
    archives.read_numpy(tmp_path / "a")


def test_shapes_that_are_not_numbers_are_refused():
  rebuild = archives.TORCH_NAMES["torch._utils", "_rebuild_tensor_v2"]
  with pytest.raises(pickle.UnpicklingError, match="shapes"):
    rebuild(np.zeros(4), 0, ("a", 10**10), (1, 1))


def write_pth(path):
  with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
    archive.writestr("a/data.pkl", bytes(10**6))


def write_npz(path):
  header = io.BytesIO()
  layout = {"descr": "<f4", "fortran_order": False, "shape": (2**40,)}
  np.lib.format.write_array_header_1_0(header, layout)
  with zipfile.ZipFile(path, "w") as archive:
    archive.writestr("a.npy", header.getvalue())


def write_h5(path):
  with h5py.File(path, "w") as file:
    file.create_dataset("block1_conv1/bias", (2**40,), "f4", chunks=(1024,))


@pytest.mark.parametrize("write", [write_pth, write_npz, write_h5])
def test_weights_that_expand_to_more_than_memory_are_refused(tmp_path, write):
  path = tmp_path / write.__name__.replace("write_", "a.")
  write(path)
  with pytest.raises(ValueError, match="damaged or another format") as caught:
    files.read(path)
  assert_one_line(caught.value)


def test_a_name_in_an_archive_leads_nowhere(tmp_path):
  with zipfile.ZipFile(tmp_path / "a.pth", "w") as archive:
    for name in ("../../escaped/data.pkl", "/escaped/data.pkl", "x/../data/0"):
      archive.writestr(name, b"\x80\x02}.")
  with pytest.raises(ValueError, match="not made by torch"):
    files.read(tmp_path / "a.pth")
  assert [path.name for path in tmp_path.rglob("*")] == ["a.pth"]


# In a process that has not started JAX, since it forks.
HANG = """
import pathlib, sys, time
from tests.benchmarks import hostile

folder = pathlib.Path(sys.argv[1])
hostile.WORK_SECONDS = 1

def work():
  (folder / "run").mkdir()
  (folder / "run" / "config.json").touch()
  time.sleep(600)

def end_of(attempt):
  limited = hostile.limited(attempt, folder)
  return hostile.attempt_in_child(limited, folder / "log")[0]

print(end_of(work))
(folder / "run" / "config.json").unlink()
hostile.MOST_SECONDS = 3
print(end_of(lambda: time.sleep(600)))
"""


def test_what_never_gets_to_its_work_is_a_hang(tmp_path):
  done = subprocess.run(
    [sys.executable, "-c", HANG, tmp_path],
    cwd=ROOT,
    capture_output=True,
    text=True,
  )
  assert done.stdout.split() == ["taken", "hang"], done.stderr
