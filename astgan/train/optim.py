"""The optimisers of the two networks."""

import ml_collections
import optax


def adam(train: ml_collections.ConfigDict) -> optax.GradientTransformation:
  """Adam with the config's step size and first decay.

  References: Kingma and Ba, Adam, 2015; Radford et al., 2015, section 4 for
    beta1 = 0.5.
  """
  return optax.adam(train.learning_rate, b1=train.beta1, b2=0.999, eps=1e-8)
