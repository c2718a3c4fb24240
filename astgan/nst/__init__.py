"""Neural style transfer: the task `paint`, and a library for arrays."""

from astgan.nst.library import nearest, transfer
from astgan.nst.recipe import make

__all__ = ["make", "nearest", "transfer"]
