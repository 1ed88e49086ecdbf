"""BiasVariance: what repeated fits say of a learner, exactly, with the error that their number leaves."""

import math
from fractions import Fraction
from typing import Any

import numpy as np

from squarely.decompose.learner import Floats
from squarely.decompose.parts import Decomposition, Split, Used, rounded
from squarely.decompose.repeated import Fits, Points
from squarely.decompose.sums import added
from squarely.evaluate import Drawn, Told, as_frame, framed
from squarely.plain import number, percent
from squarely.plain import rounded as to_width
from squarely.svg import Figure, axis_range
from squarely.svg_file import standing_alone

__all__ = ["BiasVariance"]

_WORDS = {
    "bias": "the mean of the fits is off the truth: a richer model or better features would mend it",
    "bias and noise": "the mean of the fits is off the targets: one target at each point cannot tell bias from noise",
    "variance": "fits differ from sample to sample: more data or a simpler model would mend it",
    "noise": "targets scatter around the truth: no model mends it",
}
_LITTLE = Fraction(1, 10)  # of the error: less than this is not worth mending
_DRAWN = 200  # points
_SURE = 2.0  # standard errors


class BiasVariance(Decomposition):
    """The expected squared error of a learner taken apart: a mapping from the name of a part to the part; print it.

    ``se`` maps parts, and "total", to the standard error that the number of fits leaves (jackknife over fits; points and targets stay as they are).
    ``r2`` is 1 less ``total`` over the variance of targets, ``best_r2`` what is left to it where bias and variance are 0 (nan where noise is not
    known). ``points`` has arrays of all points.

    Examples
    --------
    >>> import numpy as np, squarely as sq
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(40, 3))
    >>> found = sq.bias_variance(sq.linear.LinearRegression(), X, X[:, 0] + rng.normal(size=40), repeats=100)
    >>> list(found), int(found.points.fits.min()) > 20
    (['bias and noise', 'variance'], True)
    """

    repeats: int
    se: dict[str, float]
    r2: float
    best_r2: float
    points: Points

    @classmethod
    def of(cls, fits: Fits, noise: Fraction | None, line: Floats | None, frame: str) -> "BiasVariance":
        """Return the parts of fits; the noise is told, known from several targets at each point, or not known."""
        off, variance = fits.off_and_variance()
        count, several = fits.targets.shape
        more = Fraction(0)  # of the variance of one target, which the targets given do not show
        if several > 1:
            noise = added(fits.centers[1]) / count * several / (several - 1)
        elif fits.true:
            more = noise or more
        parts = {"bias and noise": off, "variance": variance}
        if noise is not None:
            parts = {"bias": off if fits.true else off - noise / several, "variance": variance, "noise": noise}
        split = Split(parts)
        found = cls("bias_variance", {name: _WORDS[name] for name in parts}, {"fits": split}, {"fits": Used(count, count)})
        found.repeats, found._line, found._frame = fits.table.shape[1], line, frame
        found.se, found._se_of_difference = _errors(fits, next(iter(parts)))
        spread = fits.spread() + more
        found.r2 = rounded(1 - split.total / spread) if spread else math.nan
        found.best_r2 = rounded(1 - noise / spread) if spread and noise is not None else math.nan
        found.points = fits.points()
        return found

    _line: Floats | None
    _frame: str
    _se_of_difference: float

    @property
    def verdict(self) -> str:
        """What the parts say, in words."""
        return f"{self._finding} {self._advice}".rstrip()

    @property
    def _finding(self) -> str:
        head = f"The expected squared error is {self._shown('total', self.total)[0]}"
        if not self.total:
            return f"{head}: fits hit every target."
        shares = {name: percent(self[name].share) for name in self}
        if "bias" in shares:
            return f"{head}: {shares['bias']} is bias, {shares['variance']} variance and {shares['noise']} noise."
        return f"{head}: {shares['variance']} is variance, and {shares['bias and noise']} bias and noise together."

    @property
    def _advice(self) -> str:
        """What would mend it."""
        parts = self.splits["fits"].parts
        bias, variance, total = parts.get("bias"), parts["variance"], self.splits["fits"].total
        if not total:
            return ""
        if bias is None:
            cure = "A simpler model or more data would mend variance" if variance > _LITTLE * total else "More data would mend little"
            return f"{cure}. One target at each point cannot tell bias from noise: give several, or noise=."
        if bias + variance < _LITTLE * total:
            return "Noise is most of it: no model would be much better."
        if not abs(rounded(bias - variance)) > _SURE * self._se_of_difference:
            return "Bias and variance weigh about alike."
        if bias > variance:
            return "Bias outweighs variance: a richer model or better features would mend it, more data would not."
        return "Variance outweighs bias: more data, a simpler model or a stronger penalty would mend it."

    def to_dict(self) -> dict[str, Any]:
        """Return everything but the points as plain dicts, strings and numbers."""
        parts = self.splits["fits"].parts
        return {
            "schema": 1,
            "kind": self.kind,
            "points": len(self.points.mean),
            "repeats": self.repeats,
            "mean_squared_error": self.total,
            "se": _finite(self.se["total"]),
            "r2": _finite(self.r2),
            "best_r2": _finite(self.best_r2),
            "parts": {name: {"value": self[name].value, "share": _finite(self[name].share), "se": _finite(self.se[name])} for name in parts},
            "verdict": self.verdict,
        }

    def to_frame(self) -> Any:
        """Return a row for each test point, as a frame of the library that the points came in, else a pyarrow table.

        Columns: target, mean, bias, variance, fits.
        """
        return as_frame({name: getattr(self.points, name).tolist() for name in ("target", "mean", "bias", "variance", "fits")}, self._frame)

    def to_svg(self) -> str:
        """Return the figure: mean fits, and their standard deviation, along the points where these lie on a line, and else over the targets."""
        return standing_alone(self._drawn().svg)

    def to_markdown(self) -> str:
        """Return verdict and table as Markdown."""
        return self._told().markdown()

    def to_html(self, path: Any = None) -> str:
        """Return a page that needs nothing beside it, and write it to ``path`` where one is given."""
        return self._told().html(path)

    def _repr_html_(self) -> str:
        return framed(self.to_html(), "bias and variance")

    def __str__(self) -> str:
        return self._told().text()

    __repr__ = __str__

    def _told(self) -> Told:
        rows = [(name, *self._shown(name, self[name].value), _share(self[name].share), self.words[name]) for name in self]
        rows.append(("total", *self._shown("total", self.total), _share(1.0), "the expected squared error"))
        best = "" if math.isnan(self.best_r2) else f"; without bias and variance it would be {number(self.best_r2)}"
        about = f"{self.repeats:,} fits, {len(self.points.mean):,} points"
        notes = (
            f"{about}. R2 is {number(self.r2)}{best}.",
            "se is the standard error that the number of fits leaves; points and their targets stay as they are.",
        )
        head = ("part", "value", "se", "share", "what it is")
        return Told("Bias and variance", about, self._finding, self._advice, head, tuple(rows), (0, 4), notes, (self._drawn(),))

    def _shown(self, name: str, value: float) -> tuple[str, str]:
        """Return a value and its standard error to the digits that this lets stand; noise has none."""
        se = self.se[name]
        return (number(value), "-") if not se > 0 else (to_width(value, se), to_width(se, se))

    def _drawn(self) -> Drawn:
        points, line = self.points, self._line
        across = points.target if line is None else line
        order = np.argsort(across, kind="stable")
        seen = order[:: max(1, -(-len(order) // _DRAWN))]
        x, mean, off = across[seen].tolist(), points.mean[seen], np.sqrt(points.variance[seen])
        low, high, target = (mean - off).tolist(), (mean + off).tolist(), points.target[seen].tolist()
        figure = Figure(
            "fits",
            title="Mean of the fits and their standard deviation, and the targets",
            description=f"{len(seen):,} of {len(order):,} points.",
            x=axis_range(x),
            y=axis_range([*low, *high, *target], above=0.14),  # where the legend is
            x_label="target" if line is None else "test point",
            y_label="prediction",
            width=480.0,
        )
        if line is None:
            figure.whiskers(zip(x, low, high, strict=True))
            figure.points(zip(x, mean.tolist(), strict=True))
        else:
            figure.band(list(zip(x, low, high, strict=True)))
            figure.line(list(zip(x, mean.tolist(), strict=True)))
        figure.line(list(zip(x, target, strict=True)), "guide")
        figure.legend([("guide", "target"), ("reach" if line is None else "curve", "mean of the fits")], side_by_side=True)
        caption = "Bias is the distance of the mean from the target; one standard deviation of the fits is drawn on both sides."
        return Drawn("Fits at the test points", figure.render(), caption)


def _errors(fits: Fits, rest: str) -> tuple[dict[str, float], float]:
    """Return the jackknife's standard errors of the parts and of their sum, and that of their difference."""
    off, variance = fits.without_each()
    count = len(off)

    def error(changes: Floats) -> float:
        with np.errstate(all="ignore"):
            return float(np.sqrt((count - 1) / count * np.square(changes - changes.mean()).sum()))

    return {rest: error(off), "variance": error(variance), "noise": 0.0, "total": error(off + variance)}, error(off - variance)


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _share(value: float) -> str:
    return "-" if math.isnan(value) else f"{100 * value:.1f} %"
