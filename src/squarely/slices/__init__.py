"""Where a model does worst: slices of the rows by values and bins of columns, each against all other rows."""

import itertools
import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from squarely.errors import DataError
from squarely.evaluate import evaluate_source, library_of, plan_for, source_of, with_way
from squarely.metric import Question, find
from squarely.slices.cuts import MOST_VALUES, Numbers, Values, cut_of
from squarely.slices.found import Slices
from squarely.slices.judge import judged
from squarely.slices.slice import Slice, Unjudged
from squarely.sources import Source, Wanted
from squarely.validate import check_policy

__all__ = ["Slice", "Slices", "Unjudged", "slices"]


def slices(
    data: Any,
    y_pred: Any = None,
    *,
    target: str | None = None,
    prediction: str | None = None,
    columns: str | Iterable[str] | Mapping[str, Any] | None = None,
    metric: Any = "mse",
    bins: int = 5,
    cross: int = 1,
    least: int = 30,
    weight: Any = None,
    confidence: float = 0.95,
    cluster: Any = None,
    order: Any = None,
    nan_policy: str = "raise",
) -> Slices:
    r"""Say in which slices of the rows a model does worst, and how sure that is.

    .. math:: \hat\theta = g^{-1}\left(\mu + \frac{\tau^2}{\tau^2 + s^2} (g(\theta) - \mu)\right)

    Slices are ranked by :math:`\hat\theta`, the value in a slice drawn towards that of all rows, :math:`g^{-1}(\mu)`: by as much as its
    standard error s is large beside the variance :math:`\tau^2` between the slices of the same column (DerSimonian and Laird). The
    scale g is the log for errors, which are positive, log(1 - score) for scores below 1, and the value itself otherwise.

    Parameters
    ----------
    data : table, path, or array-like of shape (n,)
        As ``evaluate`` takes them, like ``target`` and ``weight``.
    y_pred : array-like of shape (n,), optional
        Predictions in the unit of the targets, where the data are arrays.
    prediction : str
        The column of the predictions, for tables. Its own bins are slices too.
    columns : str or several, or mapping from name to array-like of shape (n,)
        What to slice by; a mapping goes with arrays. By default every column of a table that can be sliced. Text and flags make a slice
        for each value, and so do up to 12 different numbers; more numbers are binned. Missing values are a slice.
    metric : str or metric function
        Where lower or higher is better.
    bins : int
        Bins of a column of numbers, with about the same number of rows, by weight; equal numbers are never parted.
    cross : 1 or 2
        With 2 every two columns are crossed too.
    least : int
        Rows that a slice needs to be judged; smaller ones are counted.
    confidence : float
        Intervals hold for all slices together (Bonferroni), nearly: in slices of few rows with skewed errors they are too short. A
        slice is proved to be worse than all other rows where its p-value, of one side, by the jackknife of the difference and for all
        slices together (Holm), is below 1 - confidence.
    cluster, order
        How rows depend on each other, as in ``evaluate``.
    nan_policy : "raise", "omit_targets" or "omit"
        What missing targets and predictions do.

    Returns
    -------
    Slices
        ``.worst``, ``.verdict``, each ``Slice`` in turn; ``to_frame()``, ``to_dict()``, ``to_markdown()``, ``to_html(path)``; print it.

    Raises
    ------
    DataError
        As ``evaluate``; there are several models, the metric has no better side, or the data can be read only once.

    Notes
    -----
    A slice says where errors are large, not why. A score such as r2 is low too where the target varies little, as in a bin of the
    prediction: slice by an error. The target makes no slices: rows of extreme targets have extreme noise, so every good
    model looks bad there (regression to the mean). Data that are read from files are read once more for each column.

    References
    ----------
    DerSimonian, R. and Laird, N. (1986), doi:10.1016/0197-2456(86)90046-2. Efron, B. and Morris, C. (1975),
    doi:10.1080/01621459.1975.10479864. Holm, S. (1979), Scandinavian J. Statistics 6(2).

    Examples
    --------
    >>> import squarely as sq
    >>> rows = {"y": [0.0] * 80, "model": [1.0, -1.2] * 30 + [3.1, -2.8] * 10, "town": ["a"] * 60 + ["b"] * 20}
    >>> found = sq.slices(rows, target="y", prediction="model", columns="town", least=20)
    >>> print(found.verdict)  # doctest: +ELLIPSIS
    MSE is 7.15 times that of the other rows where town is 'b' (20 rows, 25 % of the rows, 70.4 % of the squared error, p < 0.001)...
    """
    question = _question(metric)
    check_policy(nan_policy)
    if nan_policy == "propagate":
        raise DataError("nan_policy='propagate' leaves nothing to judge; expected 'raise', 'omit_targets' or 'omit'.")
    _check_whole("bins", bins, 2, "the bins of a column of numbers")
    _check_whole("least", least, 2, "the rows that a slice needs to be judged")
    if cross not in (1, 2) or isinstance(cross, bool):
        raise DataError(f"cross is {str(cross)[:60]}; expected 1 for single columns, or 2 for every two of them crossed as well.")
    arrays = y_pred is not None
    source, wanted, names = _opened(data, y_pred, target, prediction, columns, weight)
    wanted = replace(wanted, plan=plan_for((question,), wanted, arrays))
    source, wanted = with_way(source, wanted, None, confidence, cluster, order, arrays)
    whole = evaluate_source(source, replace(wanted, way="none", along=None), (question,), nan_policy, confidence)
    cuts, left_out = _cuts(source, wanted, names, bins, least)
    crossed: list[tuple[Numbers | Values, ...]] = [(cut,) for cut in cuts]
    for pair in itertools.combinations(cuts, 2) if cross == 2 else ():
        count = math.prod(len(cut.labels) + bool(cut.rare) for cut in pair)
        if count > MOST_VALUES:
            left_out[" and ".join(cut.column for cut in pair)] = f"their values make {count:,} slices, and at most {MOST_VALUES:,} can be judged"
        else:
            crossed.append(pair)
    ranked, unjudged = judged(source, wanted, crossed, whole, question, least, nan_policy, confidence)
    return Slices(whole, question, ranked, unjudged, left_out, least, confidence, library_of(data))


def _question(metric: Any) -> Question:
    question = find(metric)
    if question.metric.direction == "target":
        raise DataError(f"{question.label} is best near {question.metric.best:g}, from both sides. Slice by an error or a score, such as 'mse'.")
    if any(need.reads_rows for need in question.needs):
        raise DataError(f"{question.label} reads the rows twice, and is not kept for slices. Choose another metric, such as 'mae'.")
    return question


def _check_whole(name: str, value: Any, least: int, what: str) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise DataError(f"{name} is {str(value)[:60]}; expected a whole number of at least {least}: {what}.")


def _opened(data: Any, y_pred: Any, target: str | None, prediction: Any, columns: Any, weight: Any) -> tuple[Source, Wanted, tuple[str, ...] | None]:
    """Return the source, what is wanted of it, and the columns that were named, with the prediction; None for all of a table."""
    arrays = y_pred is not None
    if arrays and columns is not None and not isinstance(columns, Mapping):
        raise DataError(f"columns is of type {type(columns).__name__}; with arrays give a mapping from name to array, such as {{'region': region}}.")
    if not arrays and isinstance(columns, Mapping):
        raise DataError("columns is a mapping of arrays; a table takes names of its columns.")
    source, wanted = source_of(data, y_pred, target, prediction, columns if arrays else None, weight)
    if len(wanted.predictions) != 1:
        raise DataError(f"slices are of one model, and {len(wanted.predictions)} are given. Call it once for each.")
    if not source.rereadable:
        raise DataError(f"{source.name}: slices read the data once for each column, and a stream is read once. Give a table, a file or arrays.")
    names = wanted.by if arrays else None if columns is None else (columns,) if isinstance(columns, str) else tuple(columns)
    if names is not None:
        for name in names:
            if not isinstance(name, str) or names.count(name) > 1:
                raise DataError(f"columns holds {str(name)[:60]!r}{' twice' if names.count(name) > 1 else ''}. Name each column once.")
        if wanted.target in names:
            raise DataError(
                f"columns holds the target {wanted.target[:60]!r}. Rows of extreme targets have extreme noise, so every good model looks bad there; "
                "the bins of the prediction are slices already. Leave it out."
            )
        names = tuple(dict.fromkeys((*names, *wanted.predictions)))
    return source, replace(wanted, by=()), names


def _cuts(source: Source, wanted: Wanted, names: tuple[str, ...] | None, bins: int, least: int) -> tuple[list[Numbers | Values], dict[str, str]]:
    """Return how each column is cut, and why others are not."""
    cuts: list[Numbers | Values] = []
    left_out: dict[str, str] = {}
    kept = {wanted.target, wanted.weight, wanted.along}
    for name in names or [name for name in source.columns if name not in kept]:
        try:
            cut = cut_of(source, wanted, name, bins, least)
        except DataError as error:
            if names is not None:
                raise
            cut = str(error).rstrip(".")
        if isinstance(cut, str):
            left_out[name] = cut
        else:
            cuts.append(cut)
    return cuts, left_out
