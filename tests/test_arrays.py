"""The ranges of values, and the ways between them."""

import jax.numpy as jnp
import numpy as np
import pytest

from astgan import arrays

EVERY_BYTE = jnp.arange(256, dtype=jnp.uint8).reshape(1, 16, 16, 1)


@pytest.mark.parametrize(
  ("there", "back", "ends"),
  [
    (arrays.bytes_to_unit, arrays.unit_to_bytes, [0, 1]),
    (arrays.bytes_to_signed, arrays.signed_to_bytes, [-1, 1]),
  ],
)
def test_every_byte_comes_back_from_the_range_it_is_mapped_to(
  there, back, ends
):
  floats = there(EVERY_BYTE)
  assert [floats.min(), floats.max()] == ends
  np.testing.assert_array_equal(back(floats), EVERY_BYTE, strict=True)


def test_floats_out_of_range_become_the_nearest_byte():
  images = jnp.array([-9.0, -1.0, 1.0, 9.0]).reshape(1, 2, 2, 1)
  found = np.ravel(arrays.signed_to_bytes(images))
  assert found.tolist() == [0, 0, 255, 255]
