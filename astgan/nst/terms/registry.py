"""The terms of style by their names in a config."""

from collections.abc import Sequence

from astgan.nst.terms import gram, interface, moments

# Of taps, layer weights and the normalisation of Gram matrices.
_STYLE = {
  "gram": lambda normalize, **layers: gram.Gram(normalize=normalize, **layers),
  "mean_std": lambda normalize, **layers: moments.MeanStd(**layers),
  "covariance": lambda normalize, **layers: moments.Covariance(**layers),
  "wasserstein": lambda normalize, **layers: moments.Wasserstein(**layers),
}
STYLE = tuple(_STYLE)


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
  """
  layers = {"taps": tuple(taps), "layer_weights": tuple(layer_weights)}
  return _STYLE[name](normalize, **layers)
