"""Memory for large gradients: that of the last two that were let go is kept for the next, for fresh memory costs more than the arithmetic."""

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["room_for"]

_LEAST, _MOST = 1 << 22, 1 << 28  # bytes of what is kept: NumPy asks for huge pages from the first on
_LINE = 64
_MANY = 2  # as a likelihood has, by mean and by variance
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
        _kept.append(self._block)
        del _kept[:-_MANY]


def room_for(shape: tuple[int, ...], dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    """Return an array with any numbers in it."""
    kind = np.dtype(dtype)
    size = kind.itemsize
    for axis in shape:
        size *= axis
    if not _LEAST <= size <= _MOST:
        return np.empty(shape, kind)
    return np.asarray(_Lent(_taken(size + _LINE), shape, kind))


def _taken(size: int) -> npt.NDArray[np.uint8]:
    """Return memory that was kept, if it is large enough and not twice so, or fresh one; other threads may take from what is kept."""
    while True:
        try:
            block = _kept.pop()
        except IndexError:
            return np.empty(size, np.uint8)
        if size <= block.size <= 2 * size:
            return block
