"""Standard errors that do without equal variances or without independence, from one more pass over the rows of a fit."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from numbers import Integral
from typing import Any

import numpy as np
import numpy.typing as npt

from squarely.errors import DataError
from squarely.linear.again import Again, Block
from squarely.linear.doubled import Doubles
from squarely.linear.inference import Inference

__all__ = ["RobustInference", "robust_inference"]

_POWERS = {"HC0": 0.0, "HC1": 0.0, "HC2": 0.5, "HC3": 1.0}  # of 1 - h, by which residuals are divided
KINDS = (*_POWERS, "cluster", "HAC")
_WHOLE = 1e-9  # a leverage so near to 1 is 1


@dataclass(frozen=True, eq=False)
class RobustInference(Inference):
    """An ``Inference`` whose covariances hold under less; ``freedom`` is that of its t, clusters less 1 where there are such."""

    kind: str
    units: Doubles  # of the estimates: what is measured in 1e160 has squares that are no doubles
    in_units: Doubles  # covariances of estimates over their units, targets x estimates x estimates
    lags: int | None = None
    clusters: int | None = None
    n_passes: int = 2  # over the rows: the fit, and this

    @property
    def covariances(self) -> Doubles:
        """Covariances of the estimates, of shape (targets, estimates, estimates)."""
        return self.in_units * self.units * self.units[:, None]

    @cached_property
    def standard_errors(self) -> Doubles:
        """Standard errors of the estimates; nan for a feature that depends on others."""
        found: Doubles = np.sqrt(np.diagonal(self.in_units, axis1=1, axis2=2)) * self.units
        return found.T


def robust_inference(again: Again, kind: str, lags: int | None) -> RobustInference:
    r"""Return the inference with covariances of the kind, ``M' S M`` with S the sum of products of the scores :math:`u_i = q_i e_i`."""
    _check(kind, again.groups, lags)
    plain = Inference.of(again.model.equations_, again.model.exact_coef_)
    rows, freedom = plain.rows, plain.freedom
    if not freedom > 0:
        raise DataError(f"the fit has {rows:,} rows for {rows - freedom} coefficients, which leaves no residuals to learn from. Give more rows.")
    clusters = None
    if kind == "cluster":
        middle, clusters = _by_cluster(again)
        middle *= clusters / (clusters - 1) * (rows - 1) / freedom
    elif kind == "HAC":
        lags = _rule_of_thumb(rows) if lags is None else int(lags)
        if lags >= rows:
            raise DataError(
                f"lags is {lags:,}, and the fit has {rows:,} rows, none so far from another. Give fewer lags: 4 (n / 100)^(2/9) are usual."
            )
        middle = _of_neighbours(again, lags)
    else:
        middle = sum((_products(u, u) for u in _scores(again, _POWERS[kind])), np.zeros(()))
        middle *= rows / freedom if kind == "HC1" else 1.0
    back = again.coordinates.back
    units = np.abs(back).max(axis=0)
    units[units == 0] = 1.0
    back = back / units
    covariances: Doubles = back.T @ middle @ back
    dropped = np.isnan(plain.inverse_root).any(axis=0)
    covariances[:, dropped] = covariances[:, :, dropped] = np.nan
    known = {name: getattr(plain, name) for name in ("names", "estimates", "inverse_root", "residual_squares", "total_squares", "rows")}
    return RobustInference(
        **known,
        freedom=freedom if clusters is None else clusters - 1,
        kind=kind,
        units=units,
        in_units=covariances,
        lags=lags,
        clusters=clusters,
    )


def _check(kind: str, groups: Any, lags: int | None) -> None:
    if kind not in KINDS:
        raise DataError(f"kind is {str(kind)[:60]!r}; expected {', '.join(map(repr, KINDS))}.")
    if (groups is None) == (kind == "cluster"):
        raise DataError("kind='cluster' takes groups=, a label for each row, and no other kind does. Give both or neither.")
    if lags is not None and (kind != "HAC" or not isinstance(lags, Integral) or isinstance(lags, bool) or lags < 0):
        raise DataError(f"lags is {lags!r} with kind={kind!r}; expected a whole number of at least 0, with kind='HAC'. Leave it out elsewhere.")


def _rule_of_thumb(rows: int) -> int:
    """Return the number of lags after Newey and West (1994): 4 (n / 100)^(2/9)."""
    return int(4 * (rows / 100) ** (2 / 9))


def _scores(again: Again, power: float = 0.0) -> Iterator[Doubles]:
    """Yield the scores of blocks of rows, t x k x n: sqrt(w) q e, with e over (1 - h)^power."""
    for block in again.blocks():
        residuals = block.residuals * block.root_weight
        yield block.q * (residuals / _rest(block) ** power if power else residuals)[:, None, :]


def _rest(block: Block) -> Doubles:
    """Return 1 - h, which must not be 0."""
    rest: Doubles = 1 - block.leverages
    if (rest < _WHOLE).any():
        row = block.start + int(np.argmin(rest))
        raise DataError(
            f"row {row:,} counted from 0 alone decides a coefficient (its leverage is 1), so that HC2 and HC3 have no value. "
            "Leave the row and its feature out, or ask for kind='HC1'."
        )
    return rest


def _products(u: Doubles, v: Doubles) -> Doubles:
    """Return sum u v' over rows, for each target."""
    found: Doubles = u @ v.swapaxes(1, 2)
    return found


def _by_cluster(again: Again) -> tuple[Doubles, int]:
    """Return the products of the sums of scores of each cluster, and how many clusters there are."""
    sums: dict[Any, Doubles] = {}
    for labels, u in _labelled(again):
        labels, codes = np.unique(labels, return_inverse=True)
        order = np.argsort(codes, kind="stable")
        starts = np.searchsorted(codes[order], np.arange(len(labels)))
        for label, total in zip(labels.tolist(), np.moveaxis(np.add.reduceat(u[:, :, order], starts, axis=2), 2, 0), strict=True):
            sums[label] = sums[label] + total if label in sums else total
    if len(sums) < 2:
        raise DataError("groups has a single label; standard errors by cluster are learnt from the differences of two or more. Use kind='HC3'.")
    each = np.stack(list(sums.values()), axis=2)
    return _products(each, each), len(sums)


def _labelled(again: Again) -> Iterator[tuple[npt.NDArray[Any], Doubles]]:
    """Yield labels and scores of rows that count: a cluster of others is none."""
    for block in again.blocks():
        there = block.root_weight > 0
        if block.labels is not None and there.any():
            yield block.labels[there], (block.q * (block.residuals * block.root_weight)[:, None, :])[:, :, there]


def _of_neighbours(again: Again, lags: int) -> Doubles:
    r"""Return :math:`S_0 + \sum_l (1 - l / (L + 1)) (S_l + S_l')`, with products of scores l rows apart (Bartlett's weights)."""
    total, before = np.zeros(()), None
    for u in _scores(again):
        seen = u if before is None else np.concatenate([before, u], axis=2)
        new = u.shape[2]
        total = total + _products(u, u)
        for lag in range(1, lags + 1):
            later = seen[:, :, max(lag, seen.shape[2] - new) :]
            if later.shape[2]:
                earlier = seen[:, :, seen.shape[2] - later.shape[2] - lag : seen.shape[2] - lag]
                across = _products(later, earlier)
                total = total + (1 - lag / (lags + 1)) * (across + across.swapaxes(1, 2))
        before = seen[:, :, -lags:] if lags else u[:, :, :0]
    return total
