"""Inception's shapes, pools and the conversion of its weights."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from astgan.features import convert, inception, nets


@pytest.fixture(scope="module")
def arrays():
  """Published names and shapes; random values in the first layer, else 1."""
  arrays = {"fc.weight": np.zeros((1008, 2048)), "fc.bias": np.zeros(1008)}
  for layer, (h, w, inputs, outputs) in inception.kernel_shapes().items():
    arrays[f"{layer}.conv.weight"] = np.ones((outputs, inputs, h, w))
    for part in ("weight", "bias", "running_mean", "running_var"):
      arrays[f"{layer}.bn.{part}"] = np.ones(outputs)
    arrays[f"{layer}.bn.num_batches_tracked"] = np.array(0)
  rng = np.random.default_rng(0)
  for name in arrays:
    if name.startswith("Conv2d_1a_3x3") and arrays[name].ndim:
      arrays[name] = rng.uniform(0.5, 1.5, arrays[name].shape)
  return {name: array.astype(np.float32) for name, array in arrays.items()}


def test_the_number_of_parameters_is_the_published_one():
  # torchvision: 27,161,264 less 3,326,696 of the auxiliary and 2,049,000 of
  # the last layer; a convolution has 2 numbers a channel for batch
  # normalization, of which 1 is left after folding.
  shapes = inception.kernel_shapes()
  folded = sum(shape[3] for shape in shapes.values())
  count = sum(np.prod(shape) for shape in nets.shapes("inception").values()) - 6
  assert (len(shapes), count + folded) == (94, 21_785_568)


def test_features_are_2048_of_every_size_of_image(arrays):
  params = jax.eval_shape(lambda: nets.init(0, "inception"))
  images = jax.ShapeDtypeStruct((2, 64, 48, 3), jnp.float32)
  features = jax.eval_shape(inception.apply, params, images)
  assert features.shape == (2, 2048)


def test_batch_normalization_is_folded_into_the_convolution(arrays):
  net, params = convert.canonical(arrays)
  assert net == "inception"
  name = "Conv2d_1a_3x3"
  window = np.random.default_rng(1).uniform(-1, 1, (3, 3, 3))
  convolved = np.einsum("hwi,oihw->o", window, arrays[f"{name}.conv.weight"])
  weight, bias, mean, variance = (
    arrays[f"{name}.bn.{part}"].astype(np.float64)
    for part in ("weight", "bias", "running_mean", "running_var")
  )
  expected = weight * (convolved - mean) / np.sqrt(variance + 0.001) + bias
  folded = np.einsum("hwi,hwio->o", window, params[name]["kernel"])
  found = folded + params[name]["bias"]
  np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
  ("change", "reason"),
  [
    ({"fc.bias": np.zeros(1000)}, "1000 classes; .* has 1008"),
    ({"Mixed_6a.branch3x3.bn.bias": np.zeros(1)}, r"branch3x3.bn is not \(384"),
    ({"Mixed_7c.branch_pool.bn.running_var": None}, "no array 'Mixed_7c.branc"),
    ({"Mixed_7c.branch_pool.bn.running_var": np.full(192, -1.0)}, "not finite"),
    ({"Mixed_7c.branch1x1.conv.weight": None}, "are none of vgg16, .*inceptio"),
  ],
)
@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
def test_arrays_that_are_not_this_inception_are_refused(arrays, change, reason):
  # torchvision's file has an auxiliary classifier as well.
  arrays = arrays | {"AuxLogits.conv0.conv.weight": np.zeros((1, 1, 1, 1))}
  changed = {n: a for n, a in (arrays | change).items() if a is not None}
  with pytest.raises(ValueError, match=reason):
    convert.canonical(changed)


def test_average_pools_leave_the_padding_out_and_maxima_ignore_it():
  ones = jnp.ones((1, 4, 4, 1))
  for name, x in (("average", ones), ("max", -ones)):
    pooled = inception.POOLS[name](x)
    np.testing.assert_allclose(pooled, x, rtol=1e-6, strict=True)
  assert inception.POOLS["halve"](jnp.ones((1, 7, 8, 1))).shape == (1, 3, 3, 1)
