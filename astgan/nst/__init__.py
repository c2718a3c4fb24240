"""Neural style transfer: the task `paint`, and a library for arrays."""

from astgan.nst.library import transfer
from astgan.nst.recipe import make

__all__ = ["make", "transfer"]
