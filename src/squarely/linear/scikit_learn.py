"""The only door of this room to scikit-learn and the SciPy it stands on: tags, an error, and two solvers. Nothing is imported before it is used."""

import warnings
from typing import Any

import numpy as np
import numpy.typing as npt

from squarely.errors import MissingExtraError, NotFittedError
from squarely.linear.doubled import Doubles

__all__ = ["elastic_net", "nonnegative", "not_fitted_error", "tags"]


def tags() -> Any:
    """Return what scikit-learn asks of an estimator: a regressor of one or several targets, from dense or sparse features."""
    from sklearn.utils import InputTags, RegressorTags, Tags, TargetTags

    return Tags(
        estimator_type="regressor",
        target_tags=TargetTags(required=True, multi_output=True),
        regressor_tags=RegressorTags(),
        input_tags=InputTags(sparse=True),
    )


def not_fitted_error() -> type[Exception]:
    """Return the error of one who asks before there is a fit; those who have scikit-learn may wait for its own."""
    try:
        from sklearn.exceptions import NotFittedError as Expected
    except ImportError:
        return NotFittedError
    both: type[Exception] = type("NotFittedError", (NotFittedError, Expected), {})
    return both


def elastic_net(rows: Doubles, target: Doubles, alphas: Doubles, l1_ratio: float, tol: float, max_iter: int) -> tuple[Doubles, npt.NDArray[np.intp]]:
    """Return coefficients, p x alphas, by coordinate descent along falling alphas, and the sweeps that each of them took.

    Whether these were enough is for the caller to judge, who knows more than the duality gap that scikit-learn warns of.
    """
    try:
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.linear_model import enet_path
    except ImportError as error:
        raise _missing("coordinate descent") from error
    settings = {"precompute": True, "tol": tol, "max_iter": max_iter, "return_n_iter": True}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        _, path, _, sweeps = enet_path(rows, target, l1_ratio=l1_ratio, alphas=alphas, **settings)
    return path, np.array(sweeps, np.intp)


def nonnegative(rows: Doubles, target: Doubles) -> Doubles:
    """Return the coefficients of at least 0 with the least squares (Lawson and Hanson)."""
    try:
        from scipy.optimize import nnls
    except ImportError as error:
        raise _missing("least squares under constraints") from error
    return np.asarray(nnls(rows, target)[0], np.float64)


def _missing(what: str) -> MissingExtraError:
    return MissingExtraError(f'{what} needs scikit-learn. Install it: pip install "squarely[sklearn]".')
