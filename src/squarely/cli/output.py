"""What commands write: files all or nothing, and how far a long run has come."""

import os
import stat
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TextIO

from squarely.errors import DataError
from squarely.report.report import one_line
from squarely.sources.refusals import missing_file
from squarely.state import StateTable

__all__ = ["Progress", "check_files", "let_go", "prepare_streams", "read_table", "say", "write_files", "write_out"]

_LONGEST_SENTENCE = 4_000

_QUIET_SECONDS, _STEP_SECONDS = 1.0, 0.2


def check_files(wanted: Mapping[str, Path | None], keep: Iterable[str | Path] = ()) -> None:
    """Refuse files, by their options, that could not be written or would replace what is read, before anything is read."""
    taken = {os.path.realpath(path): "this file holds what is read" for path in keep}
    for option, path in wanted.items():
        if path is None:
            continue
        try:
            _check_file(path, option)
        except OSError as error:
            raise DataError(f"{option} {path}: cannot be written ({error.strerror}). Name another file.") from error
        real = os.path.realpath(path)
        if real in taken:
            raise DataError(f"{option} {path}: {taken[real]}. Name another file.")
        taken[real] = f"{option} names this file too"


def _check_file(path: Path, option: str) -> None:
    folder = Path(os.path.realpath(path)).parent
    if path.is_dir():
        raise DataError(f"{option} {path}: this is a folder. Name a file.")
    if path.exists() and not path.is_file():
        raise DataError(f"{option} {path}: this is a pipe or a device. Name a file.")
    if not folder.is_dir():
        raise DataError(f"{option} {path}: there is no folder {str(path.parent)!r}. Create it first.")
    if not os.access(folder, os.W_OK):
        raise DataError(f"{option} {path}: nothing can be written into the folder {str(folder)!r}. Name another file.")


def read_table(path: Path) -> StateTable:
    """Read a file from --save-state."""
    if not path.exists():
        raise missing_file(str(path))
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}). Expected a file from --save-state.") from error
    return StateTable.from_bytes(content, f"the bytes of {path}")


def write_files(contents: Mapping[Path, bytes]) -> None:
    """Write every file, or none of them: each is complete before the first takes its name."""
    ready: list[tuple[str, Path]] = []
    path = Path()
    try:
        for path, content in contents.items():
            real = Path(os.path.realpath(path))  # a link stays a link
            handle, temporary = tempfile.mkstemp(dir=real.parent, prefix=f".{real.name[:40]}.")
            ready.append((temporary, real))
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            os.chmod(temporary, stat.S_IMODE(real.stat().st_mode) if real.exists() else 0o666 & ~_umask())
        for temporary, path in ready:
            os.replace(temporary, path)
    except OSError as error:
        raise DataError(f"{path}: cannot be written ({error.strerror}). Make room or name another file; none is half written.") from error
    finally:
        for temporary, _ in ready:
            Path(temporary).unlink(missing_ok=True)


def prepare_streams() -> None:
    """Make standard output and errors safe to write to: a terminal may know fewer letters than the data, and a stream may be closed."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115  # for as long as the process lives
        getattr(sys, name).reconfigure(errors="backslashreplace")


def write_out(tell: Callable[[], str]) -> None:
    """Write to standard output what ``tell`` returns, at once; a reader that has seen enough, such as `head`, is no error."""
    try:
        sys.stdout.write(tell())  # rich touches standard output even where it only captures
        sys.stdout.flush()
    except BrokenPipeError:
        let_go(sys.stdout)
    except OSError as error:
        let_go(sys.stdout)
        raise DataError(f"standard output: cannot be written ({error.strerror}). Make room, or send it elsewhere.") from error


def let_go(stream: TextIO) -> None:
    """Send the rest of a stream nowhere; Python would complain once more when it flushes at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def say(sentence: str) -> None:
    """Write one line to standard error; names from data cannot add lines or control the terminal."""
    try:
        print(one_line(sentence, _LONGEST_SENTENCE), file=sys.stderr, flush=True)
    except OSError:  # nobody can listen
        let_go(sys.stderr)


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
