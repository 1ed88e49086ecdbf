"""Influence: what each row does to a fit, in closed form from one more pass over its rows."""

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from numbers import Integral
from typing import Any

import numpy as np

from squarely.errors import DataError
from squarely.evaluate import as_frame
from squarely.linear.again import Again, Block
from squarely.linear.doubled import Doubles
from squarely.linear.inference import Inference

__all__ = ["Influence", "influence_of", "influence_parts"]

_WHOLE = 1e-10  # a row that leaves less of its own variance has a leverage of 1


@dataclass(frozen=True, eq=False)
class Influence:
    r"""What each row does to a fit, and what the fit were without it.

    .. math::

        h_i = w_i z_i^\top (Z^\top W Z)^{-1} z_i, \quad
        s_{(i)}^2 = \frac{\mathrm{RSS} - w_i e_i^2 / (1 - h_i)}{n - k - 1}, \quad
        D_i = \frac{w_i e_i^2 h_i}{k s^2 (1 - h_i)^2}

    Leverages h, residuals y less prediction, over their standard deviation with s (``standardized_residuals``) and with that of the other
    rows (``studentized_residuals``), errors of the fit to the other rows (``loo_residuals``), Cook's distances D, changes of the own
    prediction (``dffits``) and of each estimate (``dfbetas``, rows x estimates, the intercept first) in standard errors, and
    ``covariance_ratios``, the determinant of the covariances without the row over that with it. A row that alone decides a coefficient
    has a leverage of 1, and nan where the fit without it is not known.

    References
    ----------
    Belsley, D. A., Kuh, E., Welsch, R. E. (1980), Regression Diagnostics, doi:10.1002/0471725153. Cook, R. D. (1977), Technometrics 19(1),
    doi:10.2307/1268249.
    """

    names: tuple[str, ...]
    rows: np.ndarray[Any, np.dtype[np.int64]]  # counted from 0
    leverages: Doubles
    residuals: Doubles
    standardized_residuals: Doubles
    studentized_residuals: Doubles
    loo_residuals: Doubles
    cooks_distances: Doubles
    dffits: Doubles
    dfbetas: Doubles
    covariance_ratios: Doubles
    press: float = np.nan  # sum of w times the squared errors of the fits to the other rows, of all rows
    loo_mse: float = np.nan  # their weighted mean
    frame: str = "pyarrow"
    n_passes: int = 2  # over the rows: the fit, and this

    def __repr__(self) -> str:
        return f"Influence of {len(self.rows):,} rows on {len(self.names):,} estimates; to_frame() has every measure"

    def largest(self, count: int = 10, by: str = "cooks_distances") -> "Influence":
        """Return the rows where a measure is largest in size, the largest first; rows without a value come last."""
        size = np.nan_to_num(np.abs(self._measure(by)), nan=-1.0)
        return self.taken(np.argsort(-size, kind="stable")[:count])

    def _measure(self, by: str) -> Doubles:
        found: Doubles = getattr(self, _checked(by))
        return found

    def joined(self, other: "Influence | None") -> "Influence":
        """Return the rows of the other, and then these."""
        return self if other is None else _joined([other, self])

    def taken(self, chosen: Any) -> "Influence":
        """Return some of the rows."""
        return replace(self, **{name: getattr(self, name)[chosen] for name in _of_rows()})

    def to_frame(self) -> Any:
        """Return one row for each row: a frame of the library that X came in, else a pyarrow table."""
        columns = {name.removesuffix("s"): getattr(self, name).tolist() for name in _of_rows() if name != "dfbetas"}
        columns |= {f"dfbeta_{name}": self.dfbetas[:, at].tolist() for at, name in enumerate(self.names)}
        return as_frame(columns, self.frame)


def _checked(by: str) -> str:
    """Return the name of a measure that rows can be sorted by."""
    known = [name for name in _of_rows() if name not in ("rows", "dfbetas")]
    if by not in known:
        raise DataError(f"by is {str(by)[:60]!r}; expected {', '.join(map(repr, known))}.")
    return by


def _of_rows() -> list[str]:
    names = [each.name for each in fields(Influence)]
    return names[names.index("rows") : names.index("press")]


def influence_of(again: Again, top: int | None, by: str, frame: str) -> Influence:
    """Return the influence of all rows, or of those where a measure is largest, which takes no memory for the others."""
    inference = Inference.of(again.model.equations_, again.model.exact_coef_)
    if inference.estimates.shape[1] != 1:
        raise DataError(f"the model has {inference.estimates.shape[1]} targets, and influence is that on one fit. Fit each target alone.")
    if not inference.freedom > 1:
        raise DataError(f"the fit has {inference.rows:,} rows, too few to take one away. Influence takes two more than there are coefficients.")
    if top is not None and not (isinstance(top, Integral) and top > 0):
        raise DataError(f"top is {top!r}; expected a whole number of rows, of at least 1, or None for all.")
    _checked(by)
    kept: Influence | None = None
    parts, press = [], 0.0
    for _, (part, squares) in influence_parts(again, inference, frame):
        press += squares
        if top is None:
            parts.append(part)
        else:
            kept = part.joined(kept).largest(top, by)
    found = _joined(parts) if kept is None else kept
    return replace(found, press=press, loo_mse=press / float(again.model.equations_.weight.nearest()[0, 0]))


def _joined(parts: list[Influence]) -> Influence:
    columns: dict[str, Any] = {name: np.concatenate([getattr(part, name) for part in parts]) for name in _of_rows()}
    return replace(parts[0], **columns)


def influence_parts(again: Again, inference: Inference, frame: str = "pyarrow") -> Iterator[tuple[Block, tuple[Influence, float]]]:
    """Yield the influence of the rows of each block, and their part of the sum of squares without each."""
    back = again.coordinates.back
    largest = np.abs(back).max(axis=0)  # squares of what is measured in 1e200 are no doubles
    largest[np.isnan(inference.inverse_root).any(axis=0)] = np.nan
    scale = largest * np.sqrt(((back / largest) ** 2).sum(axis=0))
    for block in again.blocks():
        yield block, _measured(block, inference, back / scale, frame)


def _measured(block: Block, inference: Inference, back: Doubles, frame: str) -> tuple[Influence, float]:
    """Return the influence of some rows, and their part of the sum of squares without each."""
    count = inference.rows - inference.freedom
    h, residuals = block.leverages, block.residuals[0]
    rest = 1 - h
    rest = np.where(rest > _WHOLE, rest, np.nan)
    e = residuals * block.root_weight
    squares, variance = float(inference.residual_squares[0]), float(inference.residual_std[0]) ** 2
    with np.errstate(divide="ignore", invalid="ignore"):  # a perfect fit has no standardised residuals
        others = np.maximum(squares - e * e / rest, 0.0) / (inference.freedom - 1)
        standardized, studentized = e / np.sqrt(variance * rest), e / np.sqrt(others * rest)
        part = Influence(
            names=inference.names,
            rows=block.start + np.arange(len(h)),
            leverages=h,
            residuals=residuals,
            standardized_residuals=standardized,
            studentized_residuals=studentized,
            loo_residuals=residuals / rest,
            cooks_distances=standardized * standardized * h / (rest * count),
            dffits=studentized * np.sqrt(h / rest),
            dfbetas=(back.T @ block.q).T * (studentized / np.sqrt(rest))[:, None],
            covariance_ratios=(others / variance) ** count / rest,
            frame=frame,
        )
    return part, float(((e / rest) ** 2).sum())
