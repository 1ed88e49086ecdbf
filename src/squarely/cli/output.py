"""What commands say: standard output and errors, and how far a long run has come."""

import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

from squarely.errors import DataError
from squarely.report.report import one_line
from squarely.sources.refusals import missing_file
from squarely.state import StateTable

__all__ = ["Progress", "let_go", "prepare_streams", "read_table", "say", "write_out"]

_LONGEST_SENTENCE = 4_000
_QUIET_SECONDS, _STEP_SECONDS = 1.0, 0.2


def read_table(path: Path) -> StateTable:
    """Read a file from --save-state."""
    if not path.exists():
        raise missing_file(str(path))
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}). Expected a file from --save-state.") from error
    return StateTable.from_bytes(content, f"the bytes of {path}")


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
