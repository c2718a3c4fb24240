"""What the built-in landscapes take from painting: lights, lands, manners.

Colours are sRGB in [0, 255], mixed as they are on a palette. A land holds local
colours, as at noon under a white sky; a light multiplies them (`lit` on the
sunny side, `shade` elsewhere), so that any land under any light is in tune.
"""

from typing import NamedTuple

import numpy as np

Colour = tuple[int, int, int]
Factor = tuple[float, float, float]


class Light(NamedTuple):
  """The sky from the zenith down, its sun and clouds, and what they light."""

  zenith: Colour
  middle: Colour
  horizon: Colour
  sun: Colour
  cloud_lit: Colour
  cloud_shade: Colour
  lit: Factor
  shade: Factor
  # Range of the sun's height, 0 at the horizon, 1 at the top.
  height: tuple[float, float]
  # How strongly the sky glows about the sun, in [0, 1].
  glow: float
  # What is to be seen there: "sun", "moon" or nothing.
  body: str


class Land(NamedTuple):
  """Local colours of the ground, from far to near, and of what grows on it."""

  hill: Colour
  field: Colour
  meadow: Colour
  earth: Colour
  leaf: Colour
  leaf_shade: Colour
  water: Colour
  flowers: tuple[Colour, ...]
  # Kinds of trees and of mountains.
  trees: tuple[str, ...]
  ranges: tuple[str, ...]


class Manner(NamedTuple):
  """A hand: how strokes look, and the lights and lands it goes out to paint."""

  lights: tuple[str, ...]
  lands: tuple[str, ...]
  # Stroke length and width, in picture sides.
  length: float
  width: float
  # Standard deviation of a stroke's colour around what it depicts, in [0, 1].
  broken: float
  # How far the sky's strokes turn, 0 (level) to 1 (whirls).
  swirl: float
  # Factors on saturation and contrast.
  saturation: float
  contrast: float


def unit(colour) -> np.ndarray:
  """Colours in [0, 1] of whole numbers; floats are in [0, 1] already."""
  colour = np.asarray(colour)
  if colour.dtype.kind == "i":
    colour = colour / 255
  return np.asarray(colour, np.float32)


def mix(one, other, amount) -> np.ndarray:
  """The colour `one` where the amount is 0, `other` where it is 1."""
  one, other = unit(one), unit(other)
  return one + (other - one) * np.asarray(amount, np.float32)[..., None]


# fmt: off
LIGHTS = {
  # Cobalt over a milky horizon, shadows violet-blue: Monet at Argenteuil.
  "noon": Light(
    (84, 132, 190), (144, 184, 214), (214, 224, 216), (255, 250, 225),
    (250, 246, 234), (170, 182, 206), (1.06, 1.02, 0.92), (0.52, 0.58, 0.76),
    (0.7, 1.2), 0.5, "",
  ),
  # Pale, moist and a little warm below: Sisley by the Seine.
  "morning": Light(
    (146, 178, 206), (188, 206, 212), (242, 226, 194), (255, 246, 214),
    (252, 240, 220), (176, 182, 200), (1.06, 0.98, 0.84), (0.56, 0.58, 0.72),
    (0.3, 0.7), 0.6, "",
  ),
  # The orange disc in slate blue: Monet, Impression, Sunrise.
  "port": Light(
    (120, 142, 168), (146, 160, 178), (216, 176, 150), (246, 112, 50),
    (222, 166, 140), (112, 132, 160), (0.78, 0.80, 0.84), (0.42, 0.54, 0.66),
    (0.15, 0.5), 0.45, "sun",
  ),
  # Gold that swallows the shore: Turner, late.
  "gold": Light(
    (118, 138, 164), (226, 196, 134), (255, 220, 126), (255, 248, 206),
    (255, 216, 142), (172, 124, 106), (1.08, 0.86, 0.54), (0.50, 0.40, 0.40),
    (0.1, 0.45), 0.8, "sun",
  ),
  # Fire under plum clouds: Church, Twilight in the Wilderness.
  "crimson": Light(
    (48, 60, 104), (150, 84, 104), (248, 160, 80), (255, 224, 140),
    (232, 92, 60), (92, 50, 76), (0.86, 0.54, 0.42), (0.30, 0.27, 0.38),
    (0.02, 0.2), 0.7, "sun",
  ),
  # Lilac over apricot, silhouettes in haze: Friedrich.
  "rose": Light(
    (112, 118, 168), (194, 160, 186), (252, 210, 170), (255, 238, 200),
    (250, 186, 166), (142, 122, 162), (0.92, 0.76, 0.74), (0.44, 0.40, 0.54),
    (0.05, 0.3), 0.6, "sun",
  ),
  # Pearl grey, no shadows to speak of: Corot.
  "silver": Light(
    (166, 174, 178), (196, 200, 194), (224, 220, 202), (244, 240, 222),
    (228, 226, 216), (156, 160, 162), (0.86, 0.87, 0.82), (0.58, 0.61, 0.62),
    (0.4, 0.9), 0.5, "",
  ),
  # Lead above, one lit strip below: Ruisdael, Constable.
  "storm": Light(
    (66, 84, 112), (116, 130, 148), (222, 206, 160), (244, 232, 190),
    (226, 216, 196), (70, 80, 102), (1.04, 0.96, 0.70), (0.38, 0.43, 0.52),
    (0.3, 0.8), 0.5, "",
  ),
  # Prussian blue and a lemon moon: Van Gogh, Whistler's nocturnes.
  "night": Light(
    (16, 28, 66), (34, 62, 108), (84, 116, 140), (248, 236, 170),
    (112, 140, 164), (34, 52, 92), (0.52, 0.62, 0.74), (0.22, 0.29, 0.45),
    (0.35, 0.85), 0.35, "moon",
  ),
  # Green gold at the end of day: Inness and the tonalists.
  "dusk": Light(
    (128, 126, 110), (196, 168, 112), (236, 194, 112), (255, 224, 150),
    (226, 184, 120), (126, 108, 92), (0.84, 0.68, 0.44), (0.34, 0.32, 0.28),
    (0.05, 0.3), 0.65, "sun",
  ),
  # Wiped bands on paper, blue above and pink below: Hiroshige's bokashi.
  "bokashi": Light(
    (30, 68, 120), (226, 222, 196), (240, 178, 144), (222, 70, 50),
    (246, 238, 216), (190, 196, 190), (0.98, 0.95, 0.85), (0.58, 0.64, 0.68),
    (0.2, 0.7), 0.15, "sun",
  ),
  # Bare paper, a band of blue at the very top: a clear day in Edo.
  "paper": Light(
    (92, 140, 172), (226, 226, 202), (240, 228, 188), (226, 96, 60),
    (250, 246, 230), (206, 208, 196), (1.02, 0.98, 0.86), (0.60, 0.66, 0.70),
    (0.3, 0.8), 0.1, "",
  ),
  # Indigo rain sky over grey-green: Hiroshige's showers.
  "indigo": Light(
    (44, 66, 100), (120, 146, 160), (206, 212, 190), (240, 226, 180),
    (200, 210, 206), (96, 118, 138), (0.86, 0.88, 0.82), (0.46, 0.54, 0.62),
    (0.3, 0.8), 0.2, "",
  ),
  # Turquoise sky over a yellow-green horizon: Van Gogh at Arles.
  "mistral": Light(
    (48, 100, 172), (98, 164, 192), (204, 208, 152), (255, 236, 130),
    (240, 236, 206), (130, 166, 190), (1.10, 1.02, 0.78), (0.44, 0.54, 0.70),
    (0.3, 0.9), 0.6, "sun",
  ),
  # Colours as arguments: Derain at Collioure.
  "fauve": Light(
    (64, 150, 176), (246, 200, 112), (250, 160, 128), (255, 240, 150),
    (255, 214, 190), (150, 150, 206), (1.12, 0.98, 0.86), (0.52, 0.46, 0.82),
    (0.2, 0.8), 0.6, "sun",
  ),
}

LANDS = {
  # Young green, cool earth, poppies and broom.
  "spring": Land(
    (120, 142, 134), (164, 184, 92), (112, 152, 76), (196, 168, 124),
    (132, 162, 72), (52, 88, 62), (92, 128, 146),
    ((226, 70, 58), (250, 226, 120), (244, 240, 232), (196, 146, 200)),
    ("round", "poplar", "birch", "willow", "bush"), ("hills",),
  ),
  # Ripe wheat beside blue-green trees.
  "harvest": Land(
    (126, 136, 150), (232, 194, 92), (206, 164, 74), (190, 150, 102),
    (112, 134, 66), (44, 70, 66), (86, 116, 136),
    ((220, 70, 44), (72, 96, 170), (250, 232, 150)),
    ("round", "poplar", "bush"), ("hills", "mesa"),
  ),
  # Birches turned, Levitan's golden autumn.
  "autumn": Land(
    (138, 120, 118), (194, 158, 82), (160, 128, 66), (150, 114, 82),
    (228, 160, 50), (118, 64, 38), (68, 94, 116),
    ((214, 90, 40), (240, 190, 80)),
    ("birch", "round", "poplar", "conifer"), ("hills", "alps"),
  ),
  # Snow takes every colour of the light.
  "winter": Land(
    (168, 176, 194), (240, 242, 246), (226, 230, 238), (196, 186, 180),
    (128, 112, 104), (66, 62, 76), (116, 140, 160),
    ((214, 206, 200), (176, 184, 206)),
    ("bare", "conifer", "bare"), ("hills", "alps", "peak"),
  ),
  # Ochre, olive, lavender: Cezanne and Van Gogh in the south.
  "provence": Land(
    (146, 138, 168), (214, 176, 110), (156, 152, 84), (214, 156, 104),
    (126, 140, 84), (46, 76, 66), (70, 126, 156),
    ((138, 104, 178), (236, 206, 110), (214, 92, 62)),
    ("poplar", "pine", "round", "bush"), ("mesa", "alps", "hills"),
  ),
  # Umber and dull green under big skies: Hobbema, Constable.
  "polder": Land(
    (112, 118, 110), (158, 148, 88), (104, 112, 66), (168, 138, 98),
    (106, 110, 56), (46, 52, 36), (96, 104, 104),
    ((226, 220, 196), (196, 160, 96)),
    ("round", "willow", "bush", "round"), ("hills",),
  ),
  # Slate, larch and cold pasture.
  "alpine": Land(
    (116, 124, 148), (142, 158, 98), (98, 122, 82), (160, 150, 140),
    (82, 112, 82), (34, 56, 58), (64, 116, 128),
    ((240, 236, 226), (110, 120, 200), (236, 200, 90)),
    ("conifer", "conifer", "birch"), ("alps", "alps", "peak"),
  ),
  # Purple heather and peat.
  "moor": Land(
    (122, 110, 138), (152, 118, 130), (114, 104, 78), (118, 92, 76),
    (112, 116, 68), (52, 54, 50), (82, 96, 120),
    ((186, 110, 156), (216, 180, 110)),
    ("bare", "pine", "birch", "bush"), ("hills", "mesa"),
  ),
  # Woodblock greens and indigo with bare paper between.
  "print": Land(
    (96, 122, 140), (214, 202, 152), (138, 160, 112), (222, 200, 160),
    (88, 124, 92), (32, 62, 68), (54, 102, 142),
    ((226, 140, 140), (206, 74, 56), (240, 234, 214)),
    ("pine", "willow", "conifer"), ("peak", "hills", "peak"),
  ),
  # Local colour abandoned: pink ground, vermilion paths, viridian shade.
  "wild": Land(
    (110, 120, 196), (246, 182, 116), (110, 174, 104), (240, 128, 110),
    (70, 150, 104), (40, 66, 132), (40, 124, 176),
    ((230, 60, 60), (250, 220, 80), (240, 130, 180)),
    ("pine", "round", "poplar", "bush"), ("mesa", "hills", "alps"),
  ),
}

MANNERS = {
  "impressionist": Manner(
    ("noon", "morning", "port", "gold", "rose", "noon", "morning"),
    ("spring", "harvest", "autumn", "winter", "provence"),
    0.055, 0.019, 0.042, 0.35, 1.05, 1.0,
  ),
  "romantic": Manner(
    ("gold", "crimson", "rose", "storm", "gold", "night"),
    ("polder", "alpine", "autumn", "moor", "winter"),
    0.05, 0.016, 0.018, 0.2, 0.9, 1.05,
  ),
  "constable": Manner(
    ("storm", "silver", "noon", "morning"),
    ("polder", "spring", "moor", "harvest"),
    0.042, 0.016, 0.03, 0.3, 0.85, 1.0,
  ),
  "tonalist": Manner(
    ("dusk", "silver", "night", "port", "gold", "morning"),
    ("polder", "autumn", "moor", "winter"),
    0.075, 0.024, 0.02, 0.2, 0.8, 0.95,
  ),
  "arles": Manner(
    ("mistral", "night", "gold", "noon", "morning"),
    ("harvest", "provence", "spring", "autumn"),
    0.075, 0.017, 0.06, 1.0, 1.15, 1.1,
  ),
  "fauvist": Manner(
    ("fauve", "mistral", "noon", "fauve"),
    ("wild", "provence"),
    0.08, 0.028, 0.06, 0.5, 1.1, 1.0,
  ),
  "ukiyo-e": Manner(
    ("bokashi", "paper", "indigo", "night"),
    ("print", "winter", "print"),
    0.06, 0.018, 0.01, 0.0, 0.95, 1.05,
  ),
  "alpine": Manner(
    ("noon", "morning", "rose", "storm", "crimson"),
    ("alpine", "winter", "autumn"),
    0.055, 0.02, 0.03, 0.2, 0.95, 1.05,
  ),
}
# fmt: on
