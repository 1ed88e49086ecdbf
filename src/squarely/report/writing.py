"""Files are written whole, or not at all."""

import os
import stat
import tempfile
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from squarely.errors import DataError

__all__ = ["check_files", "write_files"]


def check_files(wanted: Mapping[str, Path | None], keep: Iterable[str | Path] = (), added_to: Collection[str] = ()) -> None:
    """Refuse files, by their options, that could not be written or would replace what is read, before anything is read.

    What is only ``added_to`` needs no room in its folder where it is there.
    """
    taken = {os.path.realpath(path): "this file holds what is read" for path in keep}
    for option, path in wanted.items():
        if path is None:
            continue
        try:
            _check_file(path, option, option in added_to)
        except OSError as error:
            raise DataError(f"{option} {path}: cannot be written ({error.strerror}). Name another file.") from error
        real = os.path.realpath(path)
        if real in taken:
            raise DataError(f"{option} {path}: {taken[real]}. Name another file.")
        taken[real] = f"{option} names this file too"


def _check_file(path: Path, option: str, added_to: bool) -> None:
    folder = Path(os.path.realpath(path)).parent
    if path.is_dir():
        raise DataError(f"{option} {path}: this is a folder. Name a file.")
    if path.exists() and not path.is_file():
        raise DataError(f"{option} {path}: this is a pipe or a device. Name a file.")
    if not folder.is_dir():
        raise DataError(f"{option} {path}: there is no folder {str(path.parent)!r}. Create it first.")
    if added_to and path.exists():
        if not os.access(path, os.R_OK | os.W_OK):
            raise DataError(f"{option} {path}: nothing can be written into this file. Name another file.")
    elif not os.access(folder, os.W_OK):
        raise DataError(f"{option} {path}: nothing can be written into the folder {str(folder)!r}. Name another file.")


def write_files(contents: Mapping[Path, bytes], added: Mapping[Path, bytes] | None = None) -> None:
    """Write every file, or none of them: each is complete before the first takes its name.

    What is ``added`` goes to the end of files that others write too, as the summary of a job: they keep what they hold.
    """
    ready: list[tuple[str, Path]] = []
    path = Path()
    try:
        for path, content in contents.items():
            real = Path(os.path.realpath(path))  # a link stays a link
            if real.exists() and not real.is_file():  # a device would be replaced by a file
                raise DataError(f"{path}: this is a folder, a pipe or a device. Name a file.")
            handle, temporary = tempfile.mkstemp(dir=real.parent, prefix=f".{real.name[:40]}.")
            ready.append((temporary, real))
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            os.chmod(temporary, stat.S_IMODE(real.stat().st_mode) if real.exists() else 0o666 & ~_umask())
        for path, content in (added or {}).items():
            _add(path, content)
        for temporary, path in ready:
            os.replace(temporary, path)
    except OSError as error:
        raise DataError(f"{path}: cannot be written ({error.strerror}). Make room or name another file; none is half written.") from error
    finally:
        for temporary, _ in ready:
            Path(temporary).unlink(missing_ok=True)


def _add(path: Path, content: bytes) -> None:
    """Add to the end of a file below an empty line; where there is no room for all of it the file is as it was."""
    new = not path.exists()
    with open(path, "ab+", buffering=0) as file:
        size = file.seek(0, os.SEEK_END)
        if size:
            file.seek(size - 1)
            content = (b"\n" if file.read(1) == b"\n" else b"\n\n") + content
        try:
            rest = memoryview(content)
            while rest:
                rest = rest[file.write(rest) :]
        except OSError:
            if new:
                path.unlink()
            else:
                file.truncate(size)
            raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
