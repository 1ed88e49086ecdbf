"""The one small writer of deterministic figures.

A figure is written as text, in the order in which marks are added, with coordinates rounded to a tenth of a unit.
Colours are never written: every mark carries a class, and the page that holds the figure gives classes their colours,
so dark mode needs no second figure.
"""

from __future__ import annotations

import html
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["Figure", "Scale", "axis_range", "interval_bar", "tick_labels", "ticks"]

LEVELS = 6
_LEFT, _RIGHT, _TOP, _BOTTOM = 52.0, 18.0, 26.0, 40.0
_XML_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def ticks(low: float, high: float, count: int = 6) -> tuple[float, ...]:
    """Return round numbers, 1, 2 or 5 times a power of ten apart, that lie in [low, high].

    Parameters
    ----------
    low, high : float
        Ends of the axis, finite and ``low < high``.
    count : int
        About how many are wanted.
    """
    rough = (high - low) / count
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * nice for nice in (1, 2, 5, 10) if power * nice >= rough * 0.999)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    # Whole multiples are divided, where that is exact, so that 3 * 0.1 is written 0.3.
    if step < 1:
        return tuple(i / round(1 / step) if step > 1e-9 else i * step for i in range(first, last + 1))
    return tuple(i * step for i in range(first, last + 1))


def tick_labels(values: Sequence[float]) -> tuple[str, ...]:
    """Return the shortest labels that still tell neighbouring ticks apart."""
    if not values:
        return ()
    largest = max(abs(value) for value in values)
    step = values[1] - values[0] if len(values) > 1 else largest or 1.0
    digits = max(0, -math.floor(math.log10(abs(step)) + 1e-9))
    if largest == 0 or 1e-4 <= largest < 1e6:
        return tuple(f"{value + 0.0:.{digits}f}".replace("-", "\N{MINUS SIGN}") for value in values)
    significant = max(0, math.floor(math.log10(largest) + 1e-9) - math.floor(math.log10(abs(step)) + 1e-9))
    return tuple(_scientific(value, significant) for value in values)


def _scientific(value: float, digits: int) -> str:
    if value == 0:
        return "0"
    mantissa, exponent = f"{value:.{digits}e}".split("e")
    mantissa = mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa
    return f"{mantissa}e{int(exponent)}".replace("-", "\N{MINUS SIGN}")


def axis_range(values: Iterable[float], *, include: float | None = None, margin: float = 0.04, above: float = 0.0) -> tuple[float, float]:
    """Return an interval that holds all values with a little air, never empty.

    Parameters
    ----------
    values : iterable of float
        Finite values.
    include : float, optional
        A value that the axis must show, such as 0 for residuals.
    margin : float
        Air on both sides as a share of the length.
    above : float
        More of it above, where a legend is.
    """
    seen = list(values) + ([] if include is None else [include])
    low, high = (min(seen), max(seen)) if seen else (0.0, 1.0)
    # Below this length neighbouring floats would collide on the axis.
    least = max(abs(low), abs(high)) * 1e-9 or 1.0
    if high - low < least:
        low, high = low - least, high + least
    air = (high - low) * margin
    return low - air, high + air + (high - low) * above


@dataclass(frozen=True, slots=True)
class Scale:
    """A straight map from data in [low, high] to the drawing in [start, stop]."""

    low: float
    high: float
    start: float
    stop: float

    def __call__(self, value: float) -> float:
        """Return where a value is drawn."""
        return self.start + (value - self.low) / (self.high - self.low) * (self.stop - self.start)


class Figure:
    """One pair of axes and the marks on it.

    Parameters
    ----------
    ident : str
        Prefix of the element ids; unique on its page.
    title, description : str
        What a screen reader says.
    x, y : (float, float)
        Ends of the axes.
    x_label, y_label : str
        Words on the axes.
    percent : str
        Axes ("x", "y", "xy") on which 0.25 is written "25 %".
    """

    def __init__(
        self,
        ident: str,
        *,
        title: str,
        description: str,
        x: tuple[float, float],
        y: tuple[float, float],
        x_label: str,
        y_label: str,
        percent: str = "",
        width: float = 360.0,
        height: float = 270.0,
    ) -> None:
        self.width, self.height = width, height
        self.x = Scale(*x, _LEFT, width - _RIGHT)
        self.y = Scale(*y, height - _BOTTOM, _TOP)
        self._ident, self._title, self._description = ident, title, description
        self._frame = self._axes(x_label, y_label, percent)
        self._marks: list[str] = []
        self._over: list[str] = []

    def points(self, pairs: Iterable[tuple[float, float]]) -> None:
        """Draw dots, all in one path: a line of length zero with a round cap is a dot."""
        path = "".join(f"M{_n(self.x(px))} {_n(self.y(py))}h0" for px, py in pairs)
        self._marks.append(f'<path class="dots" d="{path}"/>')

    def cells(
        self,
        cells: Iterable[tuple[int, int, int]],
        x_edges: tuple[float, float],
        y_edges: tuple[float, float],
        bins: int,
    ) -> None:
        """Draw a binned density: (column, row, count) cells, shaded on a logarithmic scale in six levels."""
        known = list(cells)
        most = max((count for _, _, count in known), default=1)
        wide = (self.x(x_edges[1]) - self.x(x_edges[0])) / bins
        tall = (self.y(y_edges[0]) - self.y(y_edges[1])) / bins
        paths: list[list[str]] = [[] for _ in range(LEVELS)]
        for column, row, count in known:
            level = 0 if most == 1 else min(LEVELS - 1, int(math.log(count) / math.log(most) * LEVELS))
            # Each edge is rounded by itself, so that neighbours meet without a hairline between them.
            left, right = (_n(self.x(x_edges[0]) + at * wide) for at in (column, column + 1))
            low, top = (_n(self.y(y_edges[0]) - at * tall) for at in (row, row + 1))
            paths[level].append(f"M{left} {top}H{right}V{low}H{left}z")
        for level, path in enumerate(paths, 1):
            if path:
                self._marks.append(f'<path class="cell l{level}" d="{"".join(path)}"/>')
        self._shades(most)

    def bars(self, edges: Sequence[float], heights: Sequence[float]) -> None:
        """Draw histogram bars that stand on zero."""
        floor = self.y(0.0)
        path = []
        for left, right, height in zip(edges, edges[1:], heights, strict=False):
            if height > 0:
                start, stop, top = self.x(left), self.x(right), self.y(height)
                path.append(f"M{_n(start)} {_n(floor)}V{_n(top)}H{_n(stop)}V{_n(floor)}z")
        self._marks.append(f'<path class="bars" d="{"".join(path)}"/>')

    def line(self, pairs: Sequence[tuple[float, float]], role: str = "curve") -> None:
        """Draw a polyline; ``role`` is its class: ``curve`` for data, ``guide`` for a reference."""
        path = "L".join(f"{_n(self.x(px))} {_n(self.y(py))}" for px, py in pairs)
        (self._over if role == "guide" else self._marks).append(f'<path class="{role}" d="M{path}"/>')

    def spots(self, pairs: Iterable[tuple[float, float]]) -> None:
        """Draw dots that stand for many rows: larger ones, all in one path."""
        self._marks.append(f'<path class="spots" d="{"".join(f"M{_n(self.x(px))} {_n(self.y(py))}h0" for px, py in pairs)}"/>')

    def bubbles(self, items: Iterable[tuple[float, float, float]]) -> None:
        """Draw circles; each is (x, y, share), and its area is that share of the largest there may be."""
        for px, py, share in items:
            self._marks.append(f'<circle class="bubble" cx="{_n(self.x(px))}" cy="{_n(self.y(py))}" r="{_n(max(1.5, 14 * math.sqrt(share)))}"/>')

    def whiskers(self, ends: Iterable[tuple[float, float, float]]) -> None:
        """Draw upright bars; each is (x, low, high)."""
        path = "".join(f"M{_n(self.x(px))} {_n(self.y(low))}V{_n(self.y(high))}" for px, low, high in ends)
        self._marks.append(f'<path class="reach" d="{path}"/>')

    def band(self, ends: Sequence[tuple[float, float, float]]) -> None:
        """Shade what lies between the low and the high ends; each is (x, low, high)."""
        around = [(px, low) for px, low, _ in ends] + [(px, high) for px, _, high in reversed(ends)]
        self._marks.append(f'<path class="band" d="M{"L".join(f"{_n(self.x(px))} {_n(self.y(py))}" for px, py in around)}z"/>')

    def hover(self, words: str, items: Iterable[tuple[Any, ...]], along: str = "") -> None:
        """Give numbers to whoever points at a mark: each item is (x, y, numbers that the words name as {0}, {1} ...).

        Along "x" the nearest item is that at the nearest x, as for bars and curves. A page without a script shows nothing of it.
        """
        at = ";".join(",".join([_n(self.x(px)), _n(self.y(py)), *map(str, numbers)]) for px, py, *numbers in items)
        self._over.append(f'<g class="hot" data-along="{along}" data-say="{_t(words)}" data-at="{_t(at)}"></g>')

    def legend(self, entries: Sequence[tuple[str, str]], *, corner: str = "upper left", side_by_side: bool = False) -> None:
        """Name marks in the corner "upper left" or "lower right"; entries are (role, words)."""
        for index, (role, words) in enumerate(entries):
            step = 0 if side_by_side else 15 * index
            top = _TOP + 12 + step if corner == "upper left" else self.height - _BOTTOM - 8 - step
            left = _LEFT + 8 + 100 * index * side_by_side if corner == "upper left" else self.width - _RIGHT - 28 - 5.5 * len(words)
            self._over.append(f'<path class="{role}" d="M{_n(left)} {_n(top - 4)}h16"/>')
            self._over.append(f'<text class="key" x="{_n(left + 21)}" y="{_n(top)}">{_t(words)}</text>')

    def render(self) -> str:
        """Return the figure as one ``<svg>`` element."""
        return (
            f'<svg class="figure" viewBox="0 0 {_n(self.width)} {_n(self.height)}" role="img" '
            f'aria-labelledby="{self._ident}-t {self._ident}-d">'
            f'<title id="{self._ident}-t">{_t(self._title)}</title>'
            f'<desc id="{self._ident}-d">{_t(self._description)}</desc>'
            f"{self._frame}{''.join(self._marks)}{''.join(self._over)}</svg>"
        )

    def _axes(self, x_label: str, y_label: str, percent: str) -> str:
        bottom, left = self.height - _BOTTOM, _LEFT
        grid, words = [], []
        across, up = ticks(self.x.low, self.x.high), ticks(self.y.low, self.y.high)
        names = _percents(across) if "x" in percent else tick_labels(across)
        if max(map(len, names), default=0) > 7:  # long labels would touch: keep every second
            across, names = across[::2], names[::2]
        for value, label in zip(across, names, strict=True):
            at = _n(self.x(value))
            grid.append(f"M{at} {_n(_TOP)}V{_n(bottom)}")
            words.append(f'<text class="tick" x="{at}" y="{_n(bottom + 14)}" text-anchor="middle">{label}</text>')
        for value, label in zip(up, _percents(up) if "y" in percent else tick_labels(up), strict=True):
            height = self.y(value)
            grid.append(f"M{_n(left)} {_n(height)}H{_n(self.width - _RIGHT)}")
            words.append(f'<text class="tick" x="{_n(left - 6)}" y="{_n(height + 3.5)}" text-anchor="end">{label}</text>')
        middle = (left + self.width - _RIGHT) / 2
        words.append(
            f'<text class="label" x="{_n(middle)}" y="{_n(self.height - 6)}" text-anchor="middle">{_t(x_label)}</text>'
            f'<text class="label" x="4" y="13">{_t(y_label)}</text>'
        )
        return f'<path class="grid" d="{"".join(grid)}"/>{"".join(words)}'

    def _shades(self, most: int) -> None:
        """Name the shades of a density above the plot, at the right."""
        words = f"{most:,} rows".replace(",", "\N{NARROW NO-BREAK SPACE}") if most > 1 else "1 row"
        left = self.width - _RIGHT - LEVELS * 9 - 6 * len(words) - 16
        self._over.append(f'<text class="key" x="{_n(left - 3)}" y="13">1</text>')
        for level in range(1, LEVELS + 1):
            at = left + level * 9 - 3
            self._over.append(f'<path class="cell l{level}" d="M{_n(at)} 5h9v9h-9z"/>')
        self._over.append(f'<text class="key" x="{_n(self.width - _RIGHT)}" y="13" text-anchor="end">{words}</text>')


def interval_bar(value: float, ends: tuple[float, float], axis: tuple[float, float], reference: float) -> str:
    """Return one row of a forest plot: a bar from end to end, a dot at the value, an upright line at the reference.

    It stands beside the numbers, so it says nothing to a screen reader. What lies outside the axis is drawn at its end.
    """
    scale = Scale(*axis, 4.0, 116.0)
    low, high, dot, line = (_n(scale(min(max(each, axis[0]), axis[1]))) for each in (*ends, value, reference))
    return (
        f'<svg class="forest" viewBox="0 0 120 12" aria-hidden="true"><path class="whole" d="M{line} 0V12"/>'
        f'<path class="reach" d="M{low} 6H{high}"/><path class="spots" d="M{dot} 6h0"/></svg>'
    )


def _percents(values: Sequence[float]) -> tuple[str, ...]:
    return tuple(f"{label} %" for label in tick_labels([round(value * 100, 9) for value in values]))


def _n(value: float) -> str:
    """Round to a tenth and drop what says nothing: "12", "0.5", never "-0"."""
    text = f"{value:.1f}".removesuffix(".0")
    return "0" if text == "-0" else text


def _t(text: str) -> str:
    """Escape text; characters that XML forbids become the replacement character."""
    return html.escape(_XML_FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", text))
