"""How a measurement is taken, judged, printed and written: medians of runs that take turns and their ratio, or shares of draws."""

import math
import os
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from importlib import metadata
from pathlib import Path
from statistics import median
from typing import Any
from unittest import mock

import numpy as np

from squarely import _core

ROOT = Path(__file__).resolve().parent.parent
CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
LIBRARIES = (
    "squarely",
    "numpy",
    "pyarrow",
    "scikit-learn",
    "polars",
    "duckdb",
    "torch",
    "torchmetrics",
    "jax",
    "optax",
    "keras",
    "statsmodels",
    "mpmath",
)

Call = Callable[[], Any]


@dataclass(frozen=True)
class Options:
    rows: int
    repeats: int
    parquet: Path | None
    replications: int


# --- how to measure -----------------------------------------------------------------------------------------------


def seconds(call: Call) -> float:
    start = time.perf_counter()
    _result = call()  # is freed after the clock has stopped
    return time.perf_counter() - start


Measure = Callable[[], float]


def in_turn(ours: Measure, theirs: Measure, repeats: int) -> tuple[float, float]:
    """Return the medians of two measurements that take turns and go first by turns, after one turn that does not count."""
    return all_in_turn([(ours, theirs)], repeats)[0]


def all_in_turn(pairs: Sequence[tuple[Measure, Measure]], repeats: int) -> list[tuple[float, float]]:
    """Return the medians of each pair; a turn measures every pair, so that a minute in which the machine is slow falls upon all of them."""
    found: list[tuple[list[float], list[float]]] = [([], []) for _ in pairs]
    for turn in range(repeats + 1):
        for pair, times in zip(pairs, found, strict=True):
            for side in (1, 0) if turn % 2 else (0, 1):
                times[side].append(pair[side]())
    return [(median(ours[1:]), median(theirs[1:])) for ours, theirs in found]


def timed(ours: Call, theirs: Call, repeats: int, times_a_second: float = 1.0) -> tuple[float, float]:
    """Return the medians of two durations, in seconds or the unit of which a second has so many."""
    return in_turn(lambda: seconds(ours) * times_a_second, lambda: seconds(theirs) * times_a_second, repeats)


def block(call: Call, length: float = 0.02) -> Callable[[], float]:
    """Return a measurement of a short call, in microseconds: so many calls in a row as take about ``length`` seconds."""
    call()
    times = range(max(1, int(length / seconds(call))))

    def measure() -> float:
        start = time.perf_counter()
        for _ in times:
            call()
        return (time.perf_counter() - start) / len(times) * 1e6

    return measure


def child(*arguments: str) -> str:
    """Run a fresh Python process from the root of the repository and return what it prints."""
    usual = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}  # users keep what was compiled
    return subprocess.run([sys.executable, *arguments], cwd=ROOT, env=usual, capture_output=True, text=True, check=True).stdout


@contextmanager
def threads(count: int | None = None) -> Iterator[None]:
    """Let squarely use so many threads, or as many as it takes where nobody says anything."""
    with mock.patch.dict(os.environ):
        os.environ.pop("SQUARELY_THREADS", None)
        if count is not None:
            os.environ["SQUARELY_THREADS"] = str(count)
        yield


def version(library: str) -> str | None:
    try:
        return metadata.version(library)
    except metadata.PackageNotFoundError:
        return None


# --- what is measured ---------------------------------------------------------------------------------------------


def pairs_of(rows: int) -> tuple[Any, Any]:
    """Return a standard normal, and the same plus half a standard normal."""
    rng = np.random.default_rng(0)
    y = rng.standard_normal(rows)
    return y, y + 0.5 * rng.standard_normal(rows)


def positive_pairs_of(rows: int, fit: float = 0.3) -> tuple[Any, Any]:
    """Return positive numbers, exp of a standard normal, and predictions that are off by a factor of about ``1 + fit``."""
    rng = np.random.default_rng(0)
    y = np.exp(rng.standard_normal(rows))
    return y, y * np.exp(fit * rng.standard_normal(rows))


# --- how to show it -----------------------------------------------------------------------------------------------


@dataclass
class Table:
    title: str
    unit: str
    columns: tuple[str, ...]
    lines: list[tuple[str, ...]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def short(number: float) -> str:
    return f"{number:.4g}" if abs(number) < 1e6 or not math.isfinite(number) else f"{number:.0e}"


class Sheet:
    """Prints what is measured as it comes, and writes the same figures as a page of Markdown."""

    def __init__(self) -> None:
        self._head: list[str] = []
        self._tables: list[Table] = []
        self._met: list[bool] = []
        self._start = time.perf_counter()

    def head(self, text: str) -> None:
        self._head.append(text)
        print(text, flush=True)

    def machine(self) -> None:
        info = Path("/proc/cpuinfo")
        rows = info.read_text().splitlines() if info.exists() else []
        names = [row.partition(":")[2].strip() for row in rows if row.startswith("model name")] or [platform.processor() or platform.machine()]
        load = f"load before the start {os.getloadavg()[0]:.2f}"
        self.head(f"{date.today()}: {names[0]}, {CORES} cores, SIMD path {_core.available()[-1]}, {load}")
        found = {library: version(library) for library in LIBRARIES}
        self.head(f"Python {platform.python_version()}, " + ", ".join(f"{library} {number}" for library, number in found.items() if number))
        if None in found.values():
            self.head("left out, because not installed: " + ", ".join(library for library, number in found.items() if number is None))

    def title(self, text: str, unit: str, columns: tuple[str, ...] = ("squarely", "peer", "ratio")) -> None:
        self._tables.append(Table(text, unit, columns))
        print(f"\n{text}")
        self._print((unit, *columns, "target"))

    def line(
        self,
        what: str,
        ours: float,
        theirs: float,
        *,
        ratio_at_most: float | None = None,
        at_most: float | None = None,
        below: float | None = None,
    ) -> None:
        """Show one measurement; a target is for the ratio, or for the value of squarely."""
        ratio, target = (ours / theirs if theirs else math.nan), "-"
        if ratio_at_most is not None:
            target = self._judged(f"ratio <= {ratio_at_most:.3g}", ratio <= ratio_at_most)
        if at_most is not None:
            target = self._judged(f"at most {at_most:g}", ours <= at_most)
        if below is not None:
            target = self._judged(f"below {below:g}", ours < below)
        self._add((what, short(ours), short(theirs), f"{ratio:.3g}" if theirs else "-", target))

    def shares(self, what: str, found: Sequence[float], between: tuple[float, float] | None, draws: int) -> None:
        """Show shares of so many draws, each with its standard error, as percentages; a target is for each of them."""
        target = "-"
        if between is not None:
            wanted = f"{100 * between[0]:g} to {100 * between[1]:g}"
            target = self._judged(wanted, all(between[0] <= share <= between[1] for share in found))
        cells = [f"{100 * share:.1f} ± {100 * math.sqrt(share * (1 - share) / draws):.1f}" for share in found]
        self._add((what, *cells, *["-"] * (len(self._tables[-1].columns) - len(cells)), target))

    def _add(self, shown: tuple[str, ...]) -> None:
        self._tables[-1].lines.append(shown)
        self._print(shown)

    def _print(self, cells: tuple[str, ...]) -> None:
        print(f"  {cells[0]:<62}{''.join(f'{cell:>12}' for cell in cells[1:-1])}  {cells[-1]}", flush=True)

    def note(self, text: str, met: bool | None = None) -> None:
        """Show a sentence below the table, and whether what it says was reached."""
        said = text if met is None else self._judged(text, met)
        self._tables[-1].notes.append(said)
        print(f"  {said}", flush=True)

    def _judged(self, target: str, met: bool) -> str:
        self._met.append(met)
        return f"{target}: {'met' if met else 'MISSED'}"

    def agree(self, what: str, pairs: Iterable[tuple[float, float]], within: float = 1e-9) -> bool:
        """Say whether both sides have the same numbers; where not, there is nothing to time."""
        for ours, theirs in pairs:
            if not math.isclose(ours, theirs, rel_tol=within, abs_tol=1e-9):
                self.note(f"{what}: NOT TIMED, squarely says {ours!r} and the peer {theirs!r}")
                return False
        return True

    def end(self) -> None:
        """Tell how many targets were met, and what the run took."""
        unit = 1 if sys.platform == "darwin" else 1024
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e9
        took = f"the run took {time.perf_counter() - self._start:.0f} s and {peak:.1f} GB of memory"
        print()
        self.head(f"targets: {sum(self._met)} met, {self._met.count(False)} missed; {took}")

    def write(self, path: Path) -> None:
        parts = ["# Results", "What is measured, and how, is told in [README.md](README.md).", "\n".join(f"* {text}" for text in self._head)]
        for table in self._tables:
            number, _, title = table.title.partition(". ")
            parts += [f"## {number}. {title[:1].upper()}{title[1:]}"]
            if table.lines:
                head = [_row((table.unit, *table.columns, "target")), f"|---|{'--:|' * len(table.columns)}---|"]
                parts += ["\n".join([*head, *map(_row, table.lines)])]
            if table.notes:
                parts += ["\n".join(f"* {' '.join(note.split())}" for note in table.notes)]
        path.write_text("\n\n".join(parts) + "\n", encoding="utf-8")


def _row(cells: tuple[str, ...]) -> str:
    escaped = [cell.replace("|", "\\|").replace("*", "\\*") for cell in cells]
    return f"| {' | '.join(escaped)} |".replace("MISSED", "**MISSED**")
