"""Two CPU devices, shapes enforced, silent promotions raise."""

import os

# Before JAX starts: every test process sees two devices, and compiles several
# times faster than it would for speed.
os.environ["JAX_PLATFORMS"] = "cpu"
os.environ["XLA_FLAGS"] = (
  os.environ.get("XLA_FLAGS", "")
  + " --xla_force_host_platform_device_count=2"
  + " --xla_backend_optimization_level=0"
)

import jaxtyping

jaxtyping.install_import_hook("astgan", "beartype.beartype")

import jax  # noqa: E402

jax.config.update("jax_numpy_rank_promotion", "raise")
jax.config.update("jax_numpy_dtype_promotion", "strict")
