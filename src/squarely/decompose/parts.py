"""Part and Decomposition: what a mean squared error is made of."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from squarely.state import Ratio

__all__ = ["Decomposition", "Part", "Split", "Used", "rounded"]


def rounded(value: Fraction) -> float:
    """Return the nearest double; infinite beyond the largest."""
    return Ratio(value.numerator, value.denominator).rounded()


@dataclass(frozen=True)
class Part:
    """One part of a mean squared error, in the unit of the target squared.

    ``exact`` is the part as a fraction; ``sign`` is -1 where it is taken off. ``share`` is its share of the whole error.
    """

    exact: Fraction
    whole: Fraction
    sign: int = 1

    @property
    def value(self) -> float:
        """The nearest double."""
        return rounded(self.exact)

    @property
    def share(self) -> float:
        """The share of the whole, negative where the part is taken off; nan where the whole is 0."""
        return rounded(self.sign * self.exact / self.whole) if self.whole else float("nan")

    def __float__(self) -> float:
        return self.value


@dataclass(frozen=True)
class Split:
    """The parts of the mean squared error of one model, which is their sum; those ``taken_off`` are subtracted."""

    parts: Mapping[str, Fraction]
    taken_off: tuple[str, ...] = ()

    @property
    def total(self) -> Fraction:
        """The mean squared error."""
        return sum((-part if name in self.taken_off else part for name, part in self.parts.items()), Fraction(0))


@dataclass(frozen=True)
class Used:
    """How many rows were used, of how many that count; none is left out without a nan_policy that says so."""

    n: int
    of: int

    @property
    def in_words(self) -> str:
        """What a table says."""
        return f"{self.n:,} rows" if self.n == self.of else f"{self.n:,} of {self.of:,} rows"


def _percent(share: float) -> str:
    return "-" if share != share else f"{100 * share:.1f} %"


def _numbers(part: Part) -> dict[str, float | None]:
    return {"value": part.value, "share": None if part.share != part.share else part.share}


class Decomposition(Mapping[str, Any]):
    """A mean squared error taken apart: a mapping from the name of a part to the part, or to a mapping from model to part.

    Parameters
    ----------
    kind : str
        Which decomposition it is.
    words : mapping of str
        What each part says, in a few words.
    splits : mapping from model to Split
    used : mapping from model to Used

    Examples
    --------
    >>> import squarely as sq
    >>> parts = sq.decompose([250, 300, 180, 420, 350], [240, 310, 200, 400, 360])
    >>> parts.total, parts["bias"].value
    (220.0, 4.0)
    >>> print(parts)
    theil      value    share  what it is
    bias           4    1.8 %  predictions are too high or too low throughout
    slope    54.2405   24.7 %  predictions vary too much or too little: a line through them would mend it
    scatter   161.76   73.5 %  what no line through the predictions mends
    total        220  100.0 %  the mean squared error of 5 rows
    """

    def __init__(self, kind: str, words: Mapping[str, str], splits: Mapping[str, Split], used: Mapping[str, Used]) -> None:
        self.kind, self.words, self.splits, self.used = kind, words, splits, used

    @property
    def total(self) -> Any:
        """The mean squared error; with several models a mapping from model to it."""
        totals = {model: rounded(split.total) for model, split in self.splits.items()}
        return next(iter(totals.values())) if len(totals) == 1 else totals

    @property
    def coverage(self) -> Any:
        """The share of rows that were used; with several models a mapping from model to it."""
        shares = {model: used.n / used.of for model, used in self.used.items()}
        return next(iter(shares.values())) if len(shares) == 1 else shares

    def part(self, name: str, model: str) -> Part:
        """Return one part of one model."""
        split = self.splits[model]
        return Part(split.parts[name], split.total, -1 if name in split.taken_off else 1)

    def __getitem__(self, name: str) -> Any:
        if name not in self.words:
            raise KeyError(f"{name!r} is no part of it; the parts are {', '.join(self.words)}")
        parts = {model: self.part(name, model) for model in self.splits}
        return next(iter(parts.values())) if len(parts) == 1 else parts

    def __iter__(self) -> Iterator[str]:
        return iter(self.words)

    def __len__(self) -> int:
        return len(self.words)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain dicts, strings and numbers."""
        return {
            "kind": self.kind,
            "models": {
                model: {
                    "n": self.used[model].n,
                    "coverage": self.used[model].n / self.used[model].of,
                    "mean_squared_error": rounded(split.total),
                    "parts": {name: _numbers(self.part(name, model)) for name in self},
                }
                for model, split in self.splits.items()
            },
        }

    def _rows(self) -> Iterator[tuple[str, ...]]:
        """Yield the table: a header, and a line for each part of each model, which is named where there are several."""
        several = len(self.splits) > 1
        yield (*(("model",) if several else ()), self.kind, "value", "share", "what it is")
        for model, split in self.splits.items():
            lead = (model,) if several else ()
            for name, words in self.words.items():
                part = self.part(name, model)
                yield (*lead, name, f"{part.sign * part.value + 0.0:.6g}", _percent(part.share), words)
            total = f"the mean squared error of {self.used[model].in_words}"
            yield (*lead, "total", f"{rounded(split.total):.6g}", _percent(1.0 if split.total else float("nan")), total)

    def __str__(self) -> str:
        rows = list(self._rows())
        left = len(rows[0]) - 3  # names to the left of the numbers
        widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]) - 1)]
        lines = []
        for row in rows:
            cells = [cell.ljust(width) if at < left else cell.rjust(width) for at, (cell, width) in enumerate(zip(row[:-1], widths, strict=True))]
            lines.append("  ".join([*cells, row[-1]]))
        return "\n".join(lines)

    __repr__ = __str__
