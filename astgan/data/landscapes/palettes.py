"""Lights, lands and styles; a light multiplies the colours of a land."""

import collections

import numpy as np

# Colours [3] of the sky; factors on those of the land in the light and in the
# shade; the range of the height of the sun, from the horizon (0) to the upper
# edge (1); the strength of the glow around it; the body that is visible.
Light = collections.namedtuple(
  "Light",
  "zenith middle horizon sun cloud_lit cloud_shade lit shade height glow body",
  defaults=[""],
)

# Colours of the ground and of what grows there; kinds of trees and mountains.
Land = collections.namedtuple(
  "Land",
  "hill field meadow earth leaf leaf_shade water flowers trees mountains",
)

# The lights and lands of a style; length and width of its strokes, in sides of
# the image; deviation of their colours; how far the strokes of the sky turn,
# from level (0) to whirls (1); factors on the saturation and the contrast.
Style = collections.namedtuple(
  "Style", "lights lands length width noise swirl saturation contrast"
)


def rgb(text: str) -> np.ndarray:
  """The sRGB colours [n, 3] in [0, 1] of hexadecimal words."""
  return np.float32([[*bytes.fromhex(word)] for word in text.split()]) / 255


def mix(one, other, amount) -> np.ndarray:
  """The colour `one` where the amount is 0, `other` where it is 1."""
  return one + (other - one) * np.asarray(amount, np.float32)[..., None]


def choose(rng: np.random.Generator, palettes, names: str):
  """A light or land of the names, with all its colours shifted a little."""
  palette = palettes[rng.choice(names.split())]
  return palette._make(
    part + rng.normal(0, 0.03, part.shape).astype(np.float32)
    if isinstance(part, np.ndarray)
    else part
    for part in palette
  )


# fmt: off
LIGHTS = {
  "noon": Light(*rgb("5484be 90b8d6 d6e0d8 fffae1 faf6ea aab6ce"),
    (1.06, 1.02, 0.92), (0.52, 0.58, 0.76), (0.7, 1.2), 0.5),
  "morning": Light(*rgb("92b2ce bcced4 f2e2c2 fff6d6 fcf0dc b0b6c8"),
    (1.06, 0.98, 0.84), (0.56, 0.58, 0.72), (0.3, 0.7), 0.6),
  "sunrise": Light(*rgb("788ea8 92a0b2 d8b096 f67032 dea68c 7084a0"),
    (0.78, 0.80, 0.84), (0.42, 0.54, 0.66), (0.15, 0.5), 0.45, "sun"),
  "gold": Light(*rgb("768aa4 e2c486 ffdc7e fff8ce ffd88e ac7c6a"),
    (1.08, 0.86, 0.54), (0.50, 0.40, 0.40), (0.1, 0.45), 0.8, "sun"),
  "crimson": Light(*rgb("303c68 965468 f8a050 ffe08c e85c3c 5c324c"),
    (0.86, 0.54, 0.42), (0.30, 0.27, 0.38), (0.02, 0.2), 0.7, "sun"),
  "rose": Light(*rgb("7076a8 c2a0ba fcd2aa ffeec8 fabaa6 8e7aa2"),
    (0.92, 0.76, 0.74), (0.44, 0.40, 0.54), (0.05, 0.3), 0.6, "sun"),
  "silver": Light(*rgb("a6aeb2 c4c8c2 e0dcca f4f0de e4e2d8 9ca0a2"),
    (0.86, 0.87, 0.82), (0.58, 0.61, 0.62), (0.4, 0.9), 0.5),
  "storm": Light(*rgb("425470 748294 decea0 f4e8be e2d8c4 465066"),
    (1.04, 0.96, 0.70), (0.38, 0.43, 0.52), (0.3, 0.8), 0.5),
  "night": Light(*rgb("101c42 223e6c 54748c f8ecaa 708ca4 22345c"),
    (0.52, 0.62, 0.74), (0.22, 0.29, 0.45), (0.35, 0.85), 0.35, "moon"),
  "dusk": Light(*rgb("807e6e c4a870 ecc270 ffe096 e2b878 7e6c5c"),
    (0.84, 0.68, 0.44), (0.34, 0.32, 0.28), (0.05, 0.3), 0.65, "sun"),
  "graded": Light(*rgb("1e4478 e2dec4 f0b290 de4632 f6eed8 bec4be"),
    (0.98, 0.95, 0.85), (0.58, 0.64, 0.68), (0.2, 0.7), 0.15, "sun"),
  "paper": Light(*rgb("5c8cac e2e2ca f0e4bc e2603c faf6e6 ced0c4"),
    (1.02, 0.98, 0.86), (0.60, 0.66, 0.70), (0.3, 0.8), 0.1),
  "indigo": Light(*rgb("2c4264 7892a0 ced4be f0e2b4 c8d2ce 60768a"),
    (0.86, 0.88, 0.82), (0.46, 0.54, 0.62), (0.3, 0.8), 0.2),
  "mistral": Light(*rgb("3064ac 62a4c0 ccd098 ffec82 f0ecce 82a6be"),
    (1.10, 1.02, 0.78), (0.44, 0.54, 0.70), (0.3, 0.9), 0.6, "sun"),
  "fauve": Light(*rgb("4096b0 f6c870 faa080 fff096 ffd6be 9696ce"),
    (1.12, 0.98, 0.86), (0.52, 0.46, 0.82), (0.2, 0.8), 0.6, "sun"),
}

LANDS = {
  "spring": Land(*rgb("788e86 a4b85c 70984c c4a87c 84a248 34583e 5c8092"),
    rgb("e2463a fae278 f4f0e8 c492c8"), "round poplar birch willow", "hills"),
  "harvest": Land(*rgb("7e8896 e8c25c cea44a be9666 708642 2c4642 567488"),
    rgb("dc462c 4860aa fae896"), "round poplar bush", "hills mesa"),
  "autumn": Land(*rgb("8a7876 c29e52 a08042 967252 e4a032 764026 445e74"),
    rgb("d65a28 f0be50"), "birch round poplar conifer", "hills alps"),
  "winter": Land(*rgb("a8b0c2 f0f2f6 e2e6ee c4bab4 807068 423e4c 748ca0"),
    rgb("d6cec8 b0b8ce"), "bare conifer bare", "hills alps peak"),
  "provence": Land(*rgb("928aa8 d6b06e 9c9854 d69c68 7e8c54 2e4c42 467e9c"),
    rgb("8a68b2 ecce6e d65c3e"), "poplar pine round bush", "mesa alps hills"),
  "lowland": Land(*rgb("70766e 9e9458 687042 a88a62 6a6e38 2e3424 606868"),
    rgb("e2dcc4 c4a060"), "round willow bush round", "hills"),
  "alpine": Land(*rgb("747c94 8e9e62 627a52 a0968c 527052 22383a 407480"),
    rgb("f0ece2 6e78c8 ecc85a"), "conifer conifer birch", "alps alps peak"),
  "moor": Land(*rgb("7a6e8a 987682 72684e 765c4c 707444 343632 526078"),
    rgb("ba6e9c d8b46e"), "bare pine birch bush", "hills mesa"),
  "woodblock": Land(*rgb("607a8c d6ca98 8aa070 dec8a0 587c5c 203e44 36668e"),
    rgb("e28c8c ce4a38 f0ead6"), "pine willow conifer", "peak hills peak"),
  "wild": Land(*rgb("6e78c4 f6b674 6eae68 f0806e 469668 284284 287cb0"),
    rgb("e63c3c fadc50 f082b4"), "pine round poplar bush", "mesa hills alps"),
}

STYLES = {
  "impressionist": Style("noon morning sunrise gold rose noon morning",
    "spring harvest autumn winter provence", 0.055, 0.019, 0.042, 0.35, 1, 1),
  "romantic": Style("gold crimson rose storm gold night",
    "lowland alpine autumn moor winter", 0.05, 0.016, 0.018, 0.2, 0.9, 1.05),
  "naturalist": Style("storm silver noon morning",
    "lowland spring moor harvest", 0.042, 0.016, 0.03, 0.3, 0.85, 1.0),
  "tonalist": Style("dusk silver night sunrise gold morning",
    "lowland autumn moor winter", 0.075, 0.024, 0.02, 0.2, 0.8, 0.95),
  "post-impressionist": Style("mistral night gold noon morning",
    "harvest provence spring autumn", 0.075, 0.017, 0.06, 1.0, 1.15, 1.1),
  "fauvist": Style("fauve mistral noon fauve",
    "wild provence", 0.08, 0.028, 0.06, 0.5, 1.1, 1.0),
  "ukiyo-e": Style("graded paper indigo night",
    "woodblock winter woodblock", 0.06, 0.018, 0.01, 0.0, 0.95, 1.05),
  "alpine": Style("noon morning rose storm crimson",
    "alpine winter autumn", 0.055, 0.02, 0.03, 0.2, 0.95, 1.05),
}
# fmt: on
