"""Running the command line: in this process, which is quick, or as a user does, in one of its own."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

from squarely.cli import main

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"


class Done(NamedTuple):
    """What a command left."""

    code: int
    out: str
    err: str

    @property
    def sentence(self) -> str:
        """The sentence of the error: the only line of its kind, and the last one."""
        *_, last = self.err.splitlines()
        assert last.startswith("error: "), self.err
        assert self.err.count("error: ") == 1, self.err
        return last.removeprefix("error: ")


def called(*arguments: object, folder: Path) -> Done:
    """Run squarely in this process, in a folder."""
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
    code: Any = 0
    with (
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        contextlib.chdir(folder),
        mock.patch.object(sys, "argv", ["squarely", *map(str, arguments)]),
    ):
        try:
            main()
        except SystemExit as stop:
            code = stop.code or 0
    texts = [stream.buffer.getvalue().decode() for stream in (out, err)]  # type: ignore[attr-defined]
    return Done(code, *texts)


def environment(**more: str) -> dict[str, str]:
    """Return the environment without what tells rich of a terminal, and Python not to buffer."""
    told = ("PYTHONUNBUFFERED", "COLUMNS", "NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE")
    return {**{name: value for name, value in os.environ.items() if name not in told}, "TERM": "xterm", **more}


def command(*arguments: object) -> list[str]:
    """Return a command line that a process of its own runs."""
    return [sys.executable, "-m", "squarely", *map(str, arguments)]


def ran(*arguments: object, folder: Path, **options: Any) -> Done:
    """Run squarely in a process of its own."""
    given = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "env": environment(), "timeout": 60, **options}
    done = subprocess.run(command(*arguments), cwd=folder, encoding="utf-8", check=False, **given)
    return Done(done.returncode, done.stdout or "", done.stderr or "")


def names_in(folder: Path) -> list[str]:
    """Return what is in a folder, hidden files too."""
    return sorted(os.listdir(folder))
