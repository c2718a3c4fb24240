"""The terms of style and content by their names in a config."""

from collections.abc import Sequence

from astgan.nst.terms import (
  content,
  gram,
  gram_variants,
  interface,
  kernels,
  luminance,
  moments,
  quantiles,
  transport,
)

_GRAM = {
  "gram": gram.Gram,
  "gram_shifted": gram_variants.Shifted,
  "gram_amplified": gram_variants.Amplified,
  "gram_adjacent": gram_variants.Adjacent,
  "gram_blurred": gram_variants.Blurred,
  "gram_chain": gram_variants.Chain,
  "gram_cube": gram_variants.Cube,
}
_STYLE = {
  **_GRAM,
  "mean_std": moments.MeanStd,
  "covariance": moments.Covariance,
  "wasserstein": moments.Wasserstein,
  "sliced_wasserstein": quantiles.SlicedWasserstein,
  "histogram": quantiles.Histogram,
  "mean": kernels.Mean,
  "polynomial": kernels.Polynomial,
  "gaussian": kernels.Gaussian,
  "relaxed_emd": transport.RelaxedEMD,
}
_CONTENT = {
  "features": content.Content,
  "self_similarity": transport.SelfSimilarity,
}
STYLE, CONTENT = tuple(_STYLE), (*_CONTENT, "luminance")


def style(
  name: str,
  *,
  taps: Sequence[str],
  layer_weights: Sequence[float],
  normalize: str,
) -> interface.Term:
  """The term of that name.

  Args:
    name: one of `STYLE`.
    taps: layers of the feature network.
    layer_weights: one per layer.
    normalize: of Gram matrices, see `perceptual.gram`; other terms have none.

  Raises:
    ValueError: there is no such term or normalisation.
  """
  _check(name, STYLE)
  options = {"normalize": normalize} if name in _GRAM else {}
  return _STYLE[name](
    taps=tuple(taps), layer_weights=tuple(layer_weights), **options
  )


def of_content(
  name: str,
  *,
  taps: Sequence[str],
  layer_weights: Sequence[float],
  side: int,
) -> interface.Term:
  """The term of that name.

  Args:
    name: one of `CONTENT`.
    taps, layer_weights: as for `style`; "luminance" reads no layer.
    side: longer side of the painting, in pixels.

  Raises:
    ValueError: there is no such term.
  """
  _check(name, CONTENT)
  if name == "luminance":
    return luminance.at(side)
  return _CONTENT[name](taps=tuple(taps), layer_weights=tuple(layer_weights))


def _check(name, known):
  if name not in known:
    raise ValueError(f"a term is one of {', '.join(known)}; got {name!r}")
