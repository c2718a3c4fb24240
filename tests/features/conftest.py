"""Networks with few channels, so that files and tests are small."""

import pytest

from astgan.features import vgg


@pytest.fixture(autouse=True)
def narrow(monkeypatch):
  """VGG16 and VGG19 with all their layers, of 2 to 6 channels."""
  monkeypatch.setattr(vgg, "CHANNELS", (2, 3, 4, 5, 6))
