"""Networks of a few channels, so that files and tests are small."""

import pytest

from astgan.features import vgg


@pytest.fixture
def narrow(monkeypatch):
  """VGG16 and VGG19 with all their layers, and 2 to 6 channels in them."""
  monkeypatch.setattr(vgg, "CHANNELS", (2, 3, 4, 5, 6))
