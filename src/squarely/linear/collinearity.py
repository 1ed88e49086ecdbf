"""Collinearity: how nearly features are combinations of each other, from the moments alone."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from squarely.linear.doubled import Doubles
from squarely.linear.equations import NormalEquations
from squarely.plain import one_line

__all__ = ["Collinearity", "lengths_of"]

_PART = 0.1  # of a combination of length 1, from where on a feature is named as a part of it


@dataclass(frozen=True, eq=False)
class Collinearity:
    r"""What features have in common; of those that are independent.

    .. math:: \mathrm{VIF}_j = \frac{1}{1 - R_j^2}, \qquad \kappa = \sigma_\text{max} / \sigma_\text{min}

    ``condition_number`` is that of the columns, the intercept among them, each scaled to length 1; ``centred_condition_number`` that of the
    columns less their means. ``inflations`` (VIF) are what the variances of coefficients are multiplied by. ``nearest`` is the combination
    of features, each over its spread, that varies least, of length 1, and ``spread`` how much it varies (1 if they were uncorrelated).

    References
    ----------
    Belsley, D. A. (1991), Conditioning Diagnostics, ISBN 978-0471528890.
    """

    names: tuple[str, ...]
    inflations: Doubles
    condition_number: float
    centred_condition_number: float
    nearest: Doubles
    spread: float

    @classmethod
    def of(cls, equations: NormalEquations) -> "Collinearity":
        """Return the collinearity of the features of equations, without those that depend on others."""
        kept = equations.factor.kept
        root = equations.factor.root[np.ix_(kept, kept)]
        lengths = lengths_of(root)
        inverse = equations.factor.inverse_root()[np.ix_(kept, kept)]
        _, sizes, turned = np.linalg.svd(root / lengths) if len(root) else (None, np.ones(1), np.zeros((1, 0)))
        return cls(
            tuple(name for name, keep in zip(equations.features, kept, strict=True) if keep),
            ((inverse * lengths) ** 2).sum(axis=0),
            _condition(_bordered(equations, root, kept)),
            float(sizes[0] / sizes[-1]),
            turned[-1],
            float(sizes[-1]),
        )

    @property
    def words(self) -> str:
        """The combination that varies least, in words: its features with their shares, the largest first."""
        order = [at for at in np.argsort(-np.abs(self.nearest), kind="stable") if abs(self.nearest[at]) > _PART]
        sign = np.sign(self.nearest[order[0]]) if order else 1.0
        return " ".join(
            f"{'+' if sign * self.nearest[at] > 0 else '-'} {abs(self.nearest[at]):.2f} {one_line(self.names[at])!r}" for at in order
        ).removeprefix("+ ")


def _bordered(equations: NormalEquations, root: Doubles, kept: npt.NDArray[np.bool_]) -> Doubles:
    """Return R of the columns as they are, the intercept first."""
    if not equations.intercept:
        return root
    weight = np.sqrt(equations.weight.nearest()[0, 0])
    means = equations.means[: len(equations.features)][kept]
    return np.vstack([np.concatenate([[weight], weight * means]), np.hstack([np.zeros((len(root), 1)), root])])


def lengths_of(columns: Doubles) -> Doubles:
    """Return the lengths of columns, whose squares may be no doubles."""
    largest = np.abs(columns).max(axis=0, initial=0.0)
    found: Doubles = largest * np.sqrt(((columns / largest) ** 2).sum(axis=0))
    return found


def _condition(columns: Doubles) -> float:
    sizes = np.linalg.svd(columns / lengths_of(columns), compute_uv=False)
    return float(sizes[0] / sizes[-1]) if len(sizes) else 1.0
