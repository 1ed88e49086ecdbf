"""A solution from its support: once it is known which coefficients are not 0, and of which sign, the rest is a linear system, solved exactly."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from squarely.linear.doubled import Doubles
from squarely.linear.equations import NormalEquations
from squarely.state import Dyadic

__all__ = ["SLACK", "beside", "gradient_of", "of_target", "on_support", "placed"]

SLACK = 1e-9  # of the penalty: what a gradient may exceed it by


def of_target(equations: NormalEquations, features: Sequence[int], target: int) -> NormalEquations:
    """Return the equations of some features and one target."""
    kept = [*features, len(equations.features) + target]
    return replace(
        equations,
        features=tuple(equations.features[at] for at in features),
        targets=(equations.targets[target],),
        sums=equations.sums.block([0], kept),
        cross=equations.cross.block(kept),
    )


def gradient_of(equations: NormalEquations, coefficients: Dyadic) -> Doubles:
    """Return ``c - C b`` for one target."""
    size = range(len(equations.features))
    rest = equations.cross.block(size, [len(size)]) - equations.cross.block(size) @ coefficients
    return rest.over(equations.divisor)[:, 0]


def on_support(equations: NormalEquations, guess: Doubles, ridge: float, lasso: float) -> tuple[Dyadic, list[int]] | None:
    r"""Return the exact minimum ``b' C b / 2 - c' b + ridge |b|^2 / 2 + lasso |b|_1`` for one target, near a guess.

    With A and s the places and signs of what is not 0 in the guess, ``(C_AA + ridge I) b_A = c_A - lasso s``. It is the minimum where its
    signs are s and ``|c - C b| <= lasso`` elsewhere; where that fails the guess has not converged, and there is no answer. A feature of A that
    depends on others is set to 0.

    Beside it are the features that may be other than 0 in a minimum, ``|c - C b| = lasso``: those that are, and then the others.
    """
    size = len(equations.features)
    support = np.flatnonzero(guess)
    inner = of_target(equations, support.tolist(), 0)
    border = np.zeros((len(support) + 1, len(support) + 1))
    border[:-1, -1] = border[-1, :-1] = lasso * np.sign(guess[support])
    less = Dyadic.of(border)
    inner = replace(inner, cross=inner.cross - Dyadic(less.numerators * equations.divisor, less.exponent)).penalised(ridge)
    found = placed(inner.coefficients, support, size)
    chosen = support[inner.factor.kept]
    others = np.delete(np.arange(size), chosen)
    pull = np.abs(gradient_of(equations, found)[others])
    if not np.array_equal(np.sign(found.nearest()[chosen, 0]), np.sign(guess[chosen])) or (pull > lasso * (1 + SLACK)).any():
        return None
    return found, [*chosen.tolist(), *others[pull >= lasso * (1 - SLACK)].tolist()]


def placed(values: Dyadic, places: npt.NDArray[np.intp], size: int) -> Dyadic:
    """Return a column of so many rows with the values at their places, and 0 elsewhere."""
    column = np.zeros((size, 1), object)
    column[places] = values.numerators
    return Dyadic(column, values.exponent)


def beside(columns: Sequence[Dyadic]) -> Dyadic:
    """Return columns as one matrix."""
    low = min(column.exponent for column in columns)
    return Dyadic(np.hstack([column.units(low) for column in columns]), low)
