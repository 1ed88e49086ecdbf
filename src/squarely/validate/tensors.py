"""Arrays of other libraries, as torch and JAX, become NumPy arrays by the protocols that all of them share; none is imported."""

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["CHUNK", "host_array", "is_tensor"]

CHUNK = 1 << 20  # numbers that are under way at once from the memory of another device
_HOST = frozenset({1, 3, 11, 13})  # devices of DLPack whose memory a processor reads: plain, pinned (CUDA, ROCm), managed
_NARROW = ("torch.bfloat16", "torch.float8", "torch.float4")  # neither DLPack nor NumPy has these types


def is_tensor(data: Any) -> bool:
    """Say whether an object offers its memory by DLPack, and by no protocol that NumPy or Arrow arrays have."""
    return not isinstance(data, np.ndarray) and hasattr(data, "__dlpack_device__") and not hasattr(data, "__arrow_c_array__")


def host_array(data: Any) -> npt.NDArray[Any]:
    """Return a tensor as a NumPy array: a view where its memory can be read, and else a copy that is fetched in chunks.

    Whatever the library says against it is raised as it is.
    """
    if hasattr(data, "detach"):
        data = data.detach()  # torch gives nothing away that may still be asked for a gradient
    if _is_on_host(data):
        return _view(data)
    if not data.shape:
        return _fetched(data)
    rows = max(1, CHUNK // max(1, int(np.prod(data.shape[1:]))))
    first = _fetched(data[:rows])
    host: npt.NDArray[Any] = np.empty(tuple(data.shape), first.dtype)
    host[:rows] = first
    for start in range(rows, len(host), rows):
        host[start : start + rows] = _fetched(data[start : start + rows])
    return host


def _is_on_host(data: Any) -> bool:
    try:
        return int(data.__dlpack_device__()[0]) in _HOST
    except (BufferError, RuntimeError, TypeError, ValueError):  # on no device, or spread over several
        return False


def _view(data: Any) -> npt.NDArray[Any]:
    if hasattr(data, "resolve_neg"):
        data = data.resolve_neg()  # torch may have changed a sign by a mark beside the memory, which DLPack does not carry
    if str(data.dtype).startswith(_NARROW):
        data = data.float()
    try:
        return np.from_dlpack(data)
    except (BufferError, RuntimeError):  # JAX has types that NumPy knows, and DLPack does not
        return np.asarray(data)


def _fetched(part: Any) -> npt.NDArray[Any]:
    """Return a part of a tensor on another device as an array; torch and others bring it by `cpu`, CuPy by `get`, and JAX when asked."""
    for name in ("cpu", "get"):
        if hasattr(part, name):
            part = getattr(part, name)()
            break
    return _view(part) if is_tensor(part) and _is_on_host(part) else np.asarray(part)
