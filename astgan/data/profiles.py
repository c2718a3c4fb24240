"""Colour profiles of curves and a matrix, applied to 16 bits.

The colour management of Pillow has 8 bits only.

References: International Color Consortium, ICC.1:2022, Image technology colour
management.
"""

import functools
import struct
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, UInt16
from PIL import ImageCms

Values = UInt16[np.ndarray, "h w c"]

_LARGEST = 65_535
# Rows converted at a time, since floats take more memory than the image.
_ROWS = 64


class Profile(NamedTuple):
  """What leads from values to linear light, and from there to CIE XYZ.

  Attributes:
    curves: linear light of each value of 16 bits, for each channel.
    matrix: XYZ under D50 of linear RGB; None for grey.
  """

  curves: list[Float[np.ndarray, "65536"]]
  matrix: Float[np.ndarray, "3 3"] | None


def srgb() -> bytes:
  """The profile of sRGB, the same bytes at each call."""
  profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
  return profile[:24] + bytes(12) + profile[36:]  # The time of its creation.


def parse(profile: bytes) -> Profile | None:
  """Curves and matrix of an RGB or grey profile; None of other profiles."""
  try:
    tags = _tags(profile)
    space, connection = profile[16:20], profile[20:24]
    if "A2B0" in tags or connection != b"XYZ ":
      return None  # A table, which goes before curves and matrix.
    with np.errstate(divide="raise", invalid="raise", over="raise"):
      if space == b"GRAY":
        return Profile([_curve(tags["kTRC"])], None)
      if space == b"RGB ":
        matrix = [_fixed(tags[f"{name}XYZ"][8:20]) for name in "rgb"]
        curves = [_curve(tags[f"{name}TRC"]) for name in "rgb"]
        return Profile(curves, np.transpose(matrix))
  except (ArithmeticError, LookupError, ValueError, struct.error):
    pass  # Damaged.
  return None


def _tags(profile):
  """Content by name (clause 7.3)."""
  (count,) = struct.unpack_from(">I", profile, 128)
  tags = {}
  for number in range(min(count, 100)):
    name, start, size = struct.unpack_from(">4sII", profile, 132 + 12 * number)
    tags[name.decode("latin-1")] = profile[start : start + size]
  return tags


def _fixed(data):
  """Numbers with 16 bits after the point (clause 4.6)."""
  return np.frombuffer(data, ">i4") / 65_536


def _curve(data):
  """Linear light of each value of 16 bits (clauses 10.6 and 10.18)."""
  x = np.linspace(0, 1, _LARGEST + 1)
  if data[:4] == b"curv":
    (count,) = struct.unpack_from(">I", data, 8)
    points = np.frombuffer(data, ">u2", count, 12)
    if count == 0:
      return x
    if count == 1:
      return x ** (points[0] / 256)
    return np.interp(x, np.linspace(0, 1, count), points / _LARGEST)
  if data[:4] != b"para":
    raise ValueError("neither a table nor a formula")
  (kind,) = struct.unpack_from(">H", data, 8)
  numbers = list(_fixed(data[12 : 12 + 4 * (1, 3, 4, 5, 7)[kind]]))
  gamma, a, b, *rest = numbers if kind else (*numbers, 1.0, 0.0)
  # From `start` on (a x + b) ** gamma + e, below it slope x + f.
  slope, start, e, f = 0.0, -b / a, 0.0, 0.0
  if kind == 2:
    e = f = rest[0]
  elif kind in (3, 4):
    slope, start, e, f = (*rest, 0.0, 0.0)[:4]
  power = np.maximum(a * x + b, 0) ** gamma + e
  return np.where(x >= start, power, slope * x + f)


def to_srgb(values: Values, profile: Profile) -> Values:
  """The values in sRGB, clipped to its gamut; themselves if they are sRGB.

  Args:
    values: as many channels as the profile has curves.
    profile: of the values.
  """
  target, matrix, encode = _srgb()
  if profile.matrix is not None:
    if _are_close(profile, target):
      return values
    matrix = (matrix @ profile.matrix).T.astype(np.float32)
  curves = [curve.astype(np.float32) for curve in profile.curves]
  converted = np.empty_like(values)
  for top in range(0, len(values), _ROWS):
    rows = values[top : top + _ROWS]
    light = [curve[rows[..., i]] for i, curve in enumerate(curves)]
    light = np.stack(light, axis=-1)
    if profile.matrix is not None:
      light = light @ matrix
    index = np.rint(np.sqrt(light.clip(0, 1)) * _LARGEST).astype(np.uint16)
    converted[top : top + _ROWS] = encode[index]
  return converted


@functools.cache
def _srgb():
  """The profile, linear RGB of XYZ, and values by the root of linear light.

  Dark values lie far apart in square roots.
  """
  target = parse(srgb())
  values = np.arange(_LARGEST + 1)
  encode = np.interp((values / _LARGEST) ** 2, target.curves[0], values)
  encode = np.rint(encode).astype(np.uint16)
  return target, np.linalg.inv(target.matrix), encode


def _are_close(profile, target):
  """Whether they differ by no more than what different makers write."""
  return all(
    np.allclose(ours, theirs, rtol=0, atol=2e-4)
    for ours, theirs in zip(profile, target, strict=True)
  )
