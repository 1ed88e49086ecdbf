"""What commands write: files all or nothing, and how far a long run has come."""

import os
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from pathlib import Path

from squarely.errors import DataError
from squarely.state import StateTable

__all__ = ["Progress", "check_folder", "read_table", "write_files"]

_QUIET_SECONDS, _STEP_SECONDS = 1.0, 0.2


def check_folder(path: Path, option: str) -> None:
    """Refuse a file that could not be written, before anything is read."""
    if path.is_dir():
        raise DataError(f"{option} {path}: this is a folder. Name a file.")
    if not path.parent.is_dir():
        raise DataError(f"{option} {path}: there is no folder {str(path.parent)!r}. Create it first.")


def read_table(path: Path) -> StateTable:
    """Read a file from --save-state."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}). Expected a file from --save-state.") from error
    return StateTable.from_bytes(content, str(path))


def write_files(contents: Mapping[Path, bytes]) -> None:
    """Write every file, or none of them: each is complete before the first takes its name."""
    ready: list[tuple[str, Path]] = []
    try:
        for path, content in contents.items():
            handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:40]}.")
            ready.append((temporary, path))
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            os.chmod(temporary, 0o666 & ~_umask())
        for temporary, path in ready:
            os.replace(temporary, path)
    except OSError as error:
        raise DataError(f"{error.filename or 'a file'}: cannot be written ({error.strerror}). Nothing was kept.") from error
    finally:
        for temporary, _ in ready:
            Path(temporary).unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


class Progress:
    """A line on the terminal that counts rows, once a run has taken a second; nothing where errors go to a file or pipe."""

    def __init__(self) -> None:
        self._shown = sys.stderr.isatty()
        self._lock = threading.Lock()
        self._start = self._last = time.monotonic()
        self._rows = 0
        self._written = False

    def __call__(self, rows: int) -> None:
        """Count rows that were read."""
        if not self._shown:
            return
        with self._lock:
            self._rows += rows
            now = time.monotonic()
            if now - self._start < _QUIET_SECONDS or now - self._last < _STEP_SECONDS:
                return
            self._last, self._written = now, True
            sys.stderr.write(f"\r{self._rows:,} rows, {self._rows / (now - self._start) / 1e6:.1f} million a second\x1b[K")
            sys.stderr.flush()

    def end(self) -> None:
        """Take the line away."""
        if self._written:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
