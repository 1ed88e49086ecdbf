"""How a batch is laid before the kernel: rows, tiles, programs, and how arrays that are broadcast are read."""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import lru_cache
from math import prod
from typing import Any

from squarely.losses.torch.library import torch

__all__ = ["FLOATS", "TILE", "Grid", "Spread", "current", "flat", "is_read", "scratch", "warps"]

Tensor = torch.Tensor
FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)  # types of predictions
TILE = 1024  # elements of a program at a time
PROGRAMS_OF_CORE = 8  # programs of a multiprocessor at a time, where rows are long
_ON_A_PROCESSOR = 4  # programs in all, in the interpreter
_MOST_COUNTERS = 1 << 14


@dataclass(frozen=True)
class Spread:
    """An array as the kernel reads it: element ``(at // inner) % size`` of ``numbers``, or element ``at`` where it is not spread.

    Parameters
    ----------
    numbers : contiguous tensor
    inner : elements in a row that have one number
    size : how many numbers there are
    is_spread : whether it is broadcast
    """

    numbers: Tensor
    inner: int
    size: int
    is_spread: bool

    @staticmethod
    def of(array: Tensor, like: Tensor) -> "Spread | None":
        """Return an array that broadcasts to a tensor, or None where the axes along which it varies are no neighbours."""
        whole = array.expand(like.shape)
        varies = [axis for axis, (size, stride) in enumerate(zip(whole.shape, whole.stride(), strict=True)) if size > 1 and stride != 0]
        if not varies:
            return Spread(whole.reshape(-1)[:1], 1, 1, True)
        first, end = varies[0], varies[-1] + 1
        if any(whole.stride(axis) == 0 and whole.shape[axis] > 1 for axis in range(first, end)):
            return None
        size, inner = prod(whole.shape[first:end]), prod(whole.shape[end:])
        if size == like.numel():
            return Spread(flat(whole, like), 1, size, False)
        part = whole[tuple(slice(None) if first <= axis < end else 0 for axis in range(whole.ndim))]
        return Spread(part.contiguous(), inner, size, True)


def is_read(array: Tensor) -> bool:
    """Say whether a kernel can read targets of such a type: whole numbers, or the floats that every device has."""
    return array.dtype in FLOATS or not (array.is_floating_point() or array.is_complex())


def flat(array: Tensor, like: Tensor) -> Tensor:
    """Return a tensor whose elements lie in memory as those of another, which is dense."""
    return array if array.stride() == like.stride() else torch.empty_like(like, dtype=array.dtype).copy_(array)


@dataclass(frozen=True)
class Grid:
    """Rows of a batch, in tiles: ``groups`` of ``high`` rows, ``wide`` columns at a time, each row split among ``splits`` programs.

    Of patches, a row is a sample, a column a patch of ``each`` pixels, and a tile has ``high`` patches.
    """

    rows: int
    columns: int
    high: int
    wide: int
    groups: int
    splits: int
    each: int = 1

    @staticmethod
    def of(rows: int, columns: int, device: Any) -> "Grid":
        """Return the grid for so many rows of so many elements; it depends on their numbers and the device alone."""
        wide = min(TILE, _power_of_two(columns))
        high = min(TILE // wide, _power_of_two(rows))
        groups = -(-rows // high)
        splits = min(-(-columns // wide), -(-_programs(device) // groups), _MOST_COUNTERS // groups or 1)
        return Grid(rows, columns, high, wide, groups, max(1, splits))

    @staticmethod
    def of_patches(samples: int, patches: int, pixels: int, device: Any) -> "Grid":
        """Return the grid for so many samples, whose patches are rows that no program splits, but programs share."""
        wide = _power_of_two(pixels)
        high = min(max(1, TILE // wide), _power_of_two(patches))
        splits = min(-(-patches // high), -(-_programs(device) // samples), _MOST_COUNTERS // samples or 1)
        return Grid(samples, patches, high, wide, samples, max(1, splits), pixels)

    @property
    def parts(self) -> int:
        """Splits, up to a power of two."""
        return _power_of_two(self.splits)

    @property
    def is_wide(self) -> bool:
        """Say whether places may be beyond 32 bits."""
        return ((self.rows + self.high) * self.columns + self.splits * self.high * self.wide) * self.each >= 1 << 31


def _power_of_two(number: int) -> int:
    return 1 << max(0, number - 1).bit_length()


@lru_cache
def _programs(device: Any) -> int:
    if device.type != "cuda":
        return _ON_A_PROCESSOR
    return PROGRAMS_OF_CORE * torch.cuda.get_device_properties(device).multi_processor_count


def warps(elements: int, dtype: Any) -> int:
    """Return how many warps share a tile: so many that what they compute of a type stays in registers."""
    return 4 if elements <= TILE and dtype is not torch.float64 else 8


_COUNTERS: dict[Any, Tensor] = {}


def scratch(grid: Grid, like: Tensor, dtype: Any) -> tuple[Tensor, Tensor]:
    """Return room for the sums of programs, and counters that are 0 before and after each launch.

    Launches of one stream are one after the other and share their counters; those of a graph, which runs where it likes, have their own.
    """
    if grid.splits == 1:
        return like, like
    device, stream = like.device, None
    partials = torch.empty(2 * grid.groups * grid.splits, dtype=dtype, device=device)
    if device.type == "cuda":
        if torch.cuda.is_current_stream_capturing():
            return partials, torch.zeros(grid.groups, dtype=torch.int32, device=device)
        stream = torch.cuda.current_stream(device).cuda_stream
    if (device, stream) not in _COUNTERS:
        _COUNTERS[device, stream] = torch.zeros(_MOST_COUNTERS, dtype=torch.int32, device=device)
    return partials, _COUNTERS[device, stream]


def current(tensor: Tensor) -> AbstractContextManager[Any]:
    """Return the context in which the device of a tensor is the current one, which is where Triton launches."""
    return torch.cuda.device(tensor.device) if tensor.device.type == "cuda" else nullcontext()
