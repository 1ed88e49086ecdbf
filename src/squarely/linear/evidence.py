"""Evidence of a fit: its moments, and what one more pass over its rows adds to them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt

from squarely.diagnose.finding import CannotTestError
from squarely.errors import DataError
from squarely.linear.added import Added
from squarely.linear.again import Again, Block
from squarely.linear.collinearity import Collinearity
from squarely.linear.doubled import Doubles
from squarely.linear.equations import NormalEquations
from squarely.linear.inference import Inference
from squarely.linear.influence import Influence, influence_parts
from squarely.state import GramState
from squarely.validate import Design, design

__all__ = ["MOST_CROSSED", "FitEvidence", "instruments_of", "labels_of"]

MOST_CROSSED = 20  # features whose products are taken: there are p (p - 1) / 2
_TOP = 10  # rows that are told by their numbers
_DRAWN = 1_000  # rows at most that plots show, about
_FEW_LEFT = 10  # degrees of freedom of the residuals, below which nothing is judged


@dataclass
class FitEvidence:
    """What checks of a fit look at; made by ``of``, which reads the rows once."""

    again: Again
    inference: Inference
    ordered: bool
    endogenous: tuple[int, ...]
    instruments: Design | None
    influence: Influence | None = None  # of the rows with the largest Cook's distances
    leverages: Influence | None = None  # of those with the largest leverages
    sample: list[Block] = field(default_factory=list)  # rows in equal steps, with all that plots take
    sampled: Influence | None = None  # of these rows
    many: int = 0  # rows with a Cook's distance above 4 / n
    press: float = 0.0
    kept: list[Block] = field(default_factory=list)  # targets, residuals, weights and labels alone
    curves: GramState = field(default_factory=GramState)  # of features, their powers, residuals before; target: residuals
    spread: GramState = field(default_factory=GramState)  # of features, their squares and products; target: w e^2
    instrumented: GramState = field(default_factory=GramState)  # of features and instruments; target: y

    @cached_property
    def equations(self) -> NormalEquations:
        """The equations of the fit."""
        return self.again.model.equations_

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the features."""
        return self.equations.features

    @property
    def n(self) -> int:
        """Rows that count."""
        return self.inference.rows

    @property
    def k(self) -> int:
        """Coefficients that were estimated, the intercept among them."""
        return self.inference.rows - self.inference.freedom

    @property
    def squares(self) -> float:
        """The weighted sum of squared residuals."""
        return float(self.inference.residual_squares[0])

    @property
    def variance(self) -> float:
        """s^2."""
        return self.squares / self.inference.freedom

    @cached_property
    def collinearity(self) -> Collinearity:
        """What features have in common."""
        return Collinearity.of(self.equations)

    def needs_residuals(self) -> None:
        """Refuse to judge a perfect fit, or one with nearly as many coefficients as rows."""
        if self.inference.freedom < _FEW_LEFT:
            raise CannotTestError(f"{self.inference.freedom} degrees of freedom are left to the residuals, and it takes {_FEW_LEFT} to say anything")
        if not self.squares > 1e-28 * float(self.equations.total_squares[0]):
            raise CannotTestError("the fit is perfect, and there are no errors to judge")

    @cached_property
    def added(self) -> Added:
        """What powers and earlier residuals explain of the residuals."""
        self.needs_residuals()
        equations = NormalEquations.of(self.curves, intercept=self.equations.intercept)
        return Added.of(equations, len(self.features), self.squares, self.inference.freedom)

    @property
    def lags(self) -> tuple[str, ...]:
        """Names of earlier residuals; none where rows were not said to lie in order."""
        return tuple(f"e(t-{lag})" for lag in range(1, min(10, self.n // 5) + 1)) if self.ordered else ()

    @property
    def is_weighted(self) -> bool:
        """Whether rows count differently."""
        return self.again.sample_weight is not None

    def read(self) -> "FitEvidence":
        """Read the rows of the fit once."""
        self._expect()
        inverse_spread = self._inverse_spread()
        before, step = np.zeros(len(self.lags)), -(-self.n // _DRAWN)
        for block, (part, press) in influence_parts(self.again, self.inference):
            self.press += press
            self.many += int((part.cooks_distances > 4 / self.n).sum())
            self.influence = part.joined(self.influence).largest(_TOP)
            self.leverages = part.joined(self.leverages).largest(_TOP, "leverages")
            drawn = np.flatnonzero(part.rows % step == 0)
            self.sample.append(block.taken(drawn))
            self.sampled = part.taken(drawn).joined(self.sampled)
            none = np.zeros((0, 0))
            self.kept.append(block._replace(features=block.features[:0], q=none))
            before = self._add(block, block.features.high * inverse_spread[:, None], before)
        return self

    def _expect(self) -> None:
        few = self.features if len(self.features) <= MOST_CROSSED else ()
        squares = tuple(f"{name}^2" for name in self.features)
        self.curves = GramState((*self.features, "fit^2", "fit^3", *squares, *self.lags), ("e",))
        self.spread = GramState((*self.features, *squares, *(f"{a}:{b}" for a, b in combinations(few, 2))), ("e^2",))
        if self.instruments is not None:
            names = tuple(f"instrument {at}" for at in range(self.instruments.columns))
            self.instrumented = GramState((*self.features, *names), ("y",))

    def _inverse_spread(self) -> Doubles:
        """Return 1 over the root mean square of each centred feature, as a power of two, and 1 for a constant."""
        e = self.equations
        squares = np.diag(e.cross.numerators)[: len(self.features)].tolist()  # integers: as doubles, those of 1e200 would be infinite
        unit = e.cross.exponent - e.divisor.bit_length() - int(np.frexp(e.weight.nearest()[0, 0])[1])
        powers = [-((square.bit_length() + unit) // 2) if square else 0 for square in squares]
        found: Doubles = np.ldexp(1.0, np.array(powers, np.int64))
        return found

    def _add(self, block: Block, u: Doubles, before: Doubles) -> Doubles:
        """Add the moments of a block, whose features are on one scale; return the last residuals."""
        y, e, w = block.targets[0], block.residuals[0], block.root_weight**2
        fit = y - e
        total = float(self.equations.total_squares[0]) / float(self.equations.weight.nearest()[0, 0])
        fit = (fit - float(self.equations.means[-1]) * self.equations.intercept) / (np.sqrt(total) or 1.0)
        squares, products = list(u * u), [u[a] * u[b] for a, b in combinations(range(len(u)), 2)] if len(u) <= MOST_CROSSED else []
        series = np.concatenate([before, e])
        earlier = [series[len(before) - lag : len(series) - lag] for lag in range(1, len(before) + 1)]
        weight = w if self.is_weighted else None
        self.curves.add_columns(_columns(*u, fit**2, fit**3, *squares, *earlier, e), weight)
        scaled = np.ldexp(e, -np.frexp(np.sqrt(self.squares / self.n))[1])  # fourth powers of small errors are no doubles
        spread = [*u, *squares, *products, w * scaled * scaled]
        self.spread.add_columns(_columns(*(each[w > 0] for each in spread)), None)
        if self.instruments is not None:
            rows = slice(block.start, block.start + len(e))
            self.instrumented.add_columns([*_columns(*u), *self.instruments.read(rows), (y,)], weight)
        return series[len(series) - len(before) :]


def _columns(*values: Doubles) -> list[tuple[Doubles, ...]]:
    return [(each,) for each in values]


def instruments_of(instruments: Any, endogenous: Any, features: Sequence[str], rows: int) -> tuple[Design | None, tuple[int, ...]]:
    """Return instruments and the places of the features that may be endogenous; all of them where none are named."""
    if instruments is None:
        if endogenous is not None:
            raise DataError("endogenous= names the features that instruments stand in for. Give instruments= too.")
        return None, ()
    opened = design(instruments, "instruments")
    names = tuple(features) if endogenous is None else (endogenous,) if isinstance(endogenous, str) else tuple(endogenous)
    unknown = next((name for name in names if name not in features), None)
    if unknown is not None:
        raise DataError(f"endogenous names {str(unknown)[:60]!r}; the features are {', '.join(map(repr, features[:10]))}. Name one of these.")
    if opened.rows != rows or opened.columns < len(names):
        raise DataError(
            f"instruments has shape ({opened.rows}, {opened.columns}) for {rows:,} rows and {len(names)} endogenous features; "
            "expected the same rows, and a column or more for each of them."
        )
    return opened, tuple(features.index(name) for name in names)


def labels_of(blocks: list[Block]) -> npt.NDArray[Any] | None:
    """Return the labels of all rows."""
    return np.concatenate([block.labels for block in blocks if block.labels is not None]) if blocks and blocks[0].labels is not None else None
