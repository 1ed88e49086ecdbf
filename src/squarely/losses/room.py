"""Memory for large gradients: that of the last one that was let go is kept for the next, for fresh memory costs more than the arithmetic."""

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["room_for"]

_LEAST, _MOST = 1 << 22, 1 << 28  # bytes of what is kept: NumPy asks for huge pages from the first on
_LINE = 64
_kept: list[npt.NDArray[np.uint8]] = []


class _Lent:
    """Memory that comes back when the last array over it is gone."""

    def __init__(self, block: npt.NDArray[np.uint8], shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
        self._block = block
        self.__array_interface__ = {
            "version": 3,
            "shape": shape,
            "typestr": dtype.str,
            "data": (-(-block.ctypes.data // _LINE) * _LINE, False),  # where a line of the cache begins
        }

    def __del__(self) -> None:
        _kept[:] = [self._block]


def room_for(shape: tuple[int, ...], dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    """Return an array with any numbers in it."""
    kind = np.dtype(dtype)
    size = kind.itemsize
    for axis in shape:
        size *= axis
    if not _LEAST <= size <= _MOST:
        return np.empty(shape, kind)
    try:
        block = _kept.pop()
    except IndexError:
        block = None
    if block is None or not size + _LINE <= block.size <= 2 * (size + _LINE):
        block = np.empty(size + _LINE, np.uint8)
    return np.asarray(_Lent(block, shape, kind))
