"""Factor: L D L' of a positive semidefinite matrix in doubled precision, with the rank told and never hidden."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from squarely.linear.doubled import Doubled, Doubles
from squarely.state import Dyadic

__all__ = ["Factor"]

_EPSILON = float(np.finfo(np.float64).eps)
_NEGLIGIBLE = 1e-9  # of the length of a column


@dataclass(frozen=True, eq=False)
class Factor:
    """``S L D L' S``: S powers of two that make the diagonal about 1, L unit lower triangular, D the squared distances.

    A column whose distance from the span of those before it is at most ``8 p`` units of rounding of its own length is dependent: it gets no
    pivot. Lengths are those of the columns given, each on its own scale, so that no unit of measurement changes a rank.
    """

    lower: Doubled
    squares: Doubled  # D; 1 where a column is dependent
    exponents: npt.NDArray[np.int64]  # of S, one less for the inverse
    kept: npt.NDArray[np.bool_]
    distances: Doubles  # of each column from the span of those before it, over its length; 1 / distance^2 is a variance inflation

    @classmethod
    def of(cls, matrix: Dyadic, divisor: int = 1) -> "Factor":
        """Factor ``matrix / divisor``."""
        size = len(matrix.numerators)
        lengths = [matrix.exponent + int(n).bit_length() - divisor.bit_length() for n in np.diag(matrix.numerators)]
        half = np.array([-(-length // 2) for length in lengths], np.int64)
        rest = Doubled.of(matrix, -(half[:, None] + half), divisor)
        diagonal = np.diag(rest.high).copy()
        lower, squares = Doubled.identity(size), Doubled(np.ones(size), np.zeros(size))
        kept, distances = np.zeros(size, np.bool_), np.zeros(size)
        for k in range(size):
            pivot = float(rest.high[k, k])
            distances[k] = np.sqrt(max(pivot, 0.0) / diagonal[k]) if diagonal[k] > 0 else 0.0
            below = slice(k + 1, size)
            kept[k] = distances[k] > 8 * size * _EPSILON
            if not kept[k]:
                continue
            squares[k] = rest[k, k]
            column = rest[below, k]
            lower[below, k] = share = column / rest[k, k]
            rest[below, below] = rest[below, below] - share[:, None] * column[None, :]
        return cls(lower, squares, half, kept, distances)

    @property
    def rank(self) -> int:
        """How many columns are independent."""
        return int(self.kept.sum())

    def combination(self, column: int) -> Doubles:
        """Return the multiples of the columns before it that a dependent column is the sum of; 0 where one adds next to nothing."""
        found = self.lower[column, :column].copy()
        for k in range(column - 1, -1, -1):
            found[:k] = found[:k] - self.lower[k, :k] * found[[k]]
        shares = np.where(self.kept[:column] & (np.abs(found.high) > _NEGLIGIBLE), found.high, 0.0)
        multiples: Doubles = np.ldexp(shares, self.exponents[column] - self.exponents[:column])
        return multiples

    def solve(self, right: Dyadic, divisor: int = 1) -> tuple[Doubled, npt.NDArray[np.int64]]:
        """Return x and exponents with ``matrix (x 2^exponents) = right / divisor``; x is about 1 in each column, whatever the units are."""
        rows, columns = -self.exponents[:, None], _exponents(right, self.exponents, divisor)
        found = self._cleared(self._forward(Doubled.of(right, rows - columns, divisor)) / self.squares[:, None])
        for k in range(len(self.kept) - 1, 0, -1):
            above = slice(0, k)
            found[above] = found[above] - self.lower[k, above][:, None] * found[k][None, :]
        return found, rows + columns

    def forward(self, right: Doubled) -> Doubles:
        """Return z with ``root' z = right``."""
        return (self._cleared(self._forward(right.scaled(-self.exponents[:, None]))) / self.squares.sqrt()[:, None]).high

    @property
    def root(self) -> Doubles:
        """The upper triangular R with ``R' R = matrix``; the row of a dependent column is 0."""
        rows = self._cleared(self.lower.T * self.squares.sqrt()[:, None])
        root: Doubles = np.ldexp(rows.high, self.exponents)
        return root

    def inverse_root(self) -> Doubles:
        """Return M with ``M' M`` the inverse of the matrix."""
        rows = self._cleared(self._forward(Doubled.identity(len(self.kept)))) / self.squares.sqrt()[:, None]
        root: Doubles = np.ldexp(rows.high, -self.exponents)
        return root

    def _forward(self, right: Doubled) -> Doubled:
        """Return x with ``L x = right``."""
        found = right.copy()
        for k in range(len(self.kept) - 1):
            below = slice(k + 1, None)
            found[below] = found[below] - self.lower[below, k][:, None] * found[k][None, :]
        return found

    def _cleared(self, rows: Doubled) -> Doubled:
        """Return rows with 0 for dependent columns."""
        return Doubled(np.where(self.kept[:, None], rows.high, 0.0), np.where(self.kept[:, None], rows.low, 0.0))


def _exponents(right: Dyadic, rows: npt.NDArray[np.int64], divisor: int) -> npt.NDArray[np.int64]:
    """Return the power of two that is about the largest of each column of ``right / divisor``, its rows in units of ``2^rows``."""
    found = [
        max((int(n).bit_length() - int(row) for n, row in zip(column, rows, strict=True) if n), default=0) for column in right.numerators.T.tolist()
    ]
    return np.array(found, np.int64) + right.exponent - divisor.bit_length()
