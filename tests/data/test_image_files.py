"""Which files are opened as images."""

import functools

import numpy as np
import pytest
from PIL import Image

from astgan import errors
from astgan.data import images
from tests import pictures

# Pillow reads EPS by Ghostscript, which runs the PostScript in it.
EPS = b"""%!PS-Adobe-3.0 EPSF-3.0
%%BoundingBox: 0 0 8 8
%%EndComments
showpage
%%EOF
"""


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tga"])
def test_a_program_that_is_called_an_image_is_refused(tmp_path, suffix):
  path = tmp_path / f"x{suffix}"
  path.write_bytes(EPS)
  with Image.open(path) as opened:
    assert opened.format == "EPS"
  with pytest.raises(errors.UserError) as refused:
    images.read(path)
  assert str(path) in str(refused.value) and "\n" not in str(refused.value)


@pytest.mark.parametrize("form", ["ICO", "PCX", "SGI"])
def test_a_format_that_is_not_claimed_is_refused(tmp_path, form):
  Image.new("RGB", (16, 16)).save(tmp_path / "x.png", form)
  with pytest.raises(errors.UserError, match="in a known format"):
    images.read(tmp_path / "x.png")


@pytest.mark.parametrize(
  "suffix", sorted({*images.SUFFIXES} - {".heic", ".heif"})
)
def test_every_format_that_is_claimed_opens(tmp_path, suffix):
  image = Image.fromarray(pictures.four_corners(32, 64))
  mode = {".pbm": "1", ".pgm": "L"}.get(suffix, "RGB")
  save = functools.partial(image.convert(mode).save, tmp_path / f"x{suffix}")
  if suffix == ".mpo":
    save(save_all=True, append_images=[image])
  else:
    save()
  read = images.read(tmp_path / f"x{suffix}")
  expected = np.array(image.convert(mode).convert("RGB"))
  # In the middle of each quarter, where no format blurs.
  np.testing.assert_allclose(
    read[8::16, 16::32], expected[8::16, 16::32], atol=4
  )
