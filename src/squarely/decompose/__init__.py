"""What a mean squared error is made of: parts that add up to it, exactly."""

from collections.abc import Iterable
from typing import Any

from squarely.decompose.fits import bias_variance
from squarely.decompose.of_fits import BiasVariance
from squarely.decompose.parts import Decomposition, Part, Split, Used
from squarely.decompose.recalibrate import corp, stretches
from squarely.decompose.sums import between_and_within, bias_and_slope, bias_and_variance
from squarely.errors import DataError
from squarely.evaluate import evaluate, rows_of, source_of
from squarely.state import PairState, Sums
from squarely.validate import check_policy, nothing_left

__all__ = ["BiasVariance", "Decomposition", "Part", "bias_variance", "decompose", "parts_of_rows", "parts_of_sums", "stretches"]

_BIAS = "predictions are too high or too low throughout"
_OF_SUMS = {"theil": bias_and_slope, "bias_variance": bias_and_variance}  # the kinds that the sums of a model answer
_KINDS = {  # the parts of each kind, and what a reader is told of them
    "theil": {
        "bias": _BIAS,
        "slope": "predictions vary too much or too little: a line through them would mend it",
        "scatter": "what no line through the predictions mends",
    },
    "bias_variance": {"bias": _BIAS, "variance": "the error scatters around its mean"},
    "corp": {
        "miscalibration": "what the best rising function of the predictions would win",
        "discrimination": "what the predictions know of the target, recalibrated",
        "uncertainty": "the error of the mean of the target",
    },
    "groups": {
        "bias": _BIAS,
        "between": "the mean error differs from group to group",
        "within": "errors scatter around the mean error of their group",
    },
}


def decompose(
    data: Any,
    y_pred: Any = None,
    *,
    kind: str = "theil",
    target: str | None = None,
    prediction: str | Iterable[str] | None = None,
    by: Any = None,
    weight: Any = None,
    nan_policy: str = "raise",
) -> Decomposition:
    r"""Take a mean squared error apart into parts that add up to it, exactly.

    .. math:: \mathrm{MSE} = \bar e^2 + s_{\hat y}^2 (1 - b)^2 + s_y^2 (1 - r^2), \quad b = r \, s_y / s_{\hat y}

    Parameters
    ----------
    data : table, path, or array-like of shape (n,)
        As ``evaluate`` takes them, like ``y_pred``, ``target``, ``prediction``, ``by`` and ``weight``.
    kind : "theil", "bias_variance", "corp" or "groups"
        "theil": bias, slope, scatter. "bias_variance": bias, variance of the errors. "corp": miscalibration - discrimination + uncertainty,
        by isotonic recalibration; it reads all rows into memory. "groups": bias, and the variance of errors between and within the
        groups of ``by``.
    nan_policy : "raise", "omit_targets" or "omit"
        What missing and infinite values do.

    Returns
    -------
    Decomposition
        ``decomposition["slope"].value`` and ``.share``, and ``.total``, in the unit of the target squared; with several models mappings
        from model to them. Print it.

    Raises
    ------
    DataError
        As ``evaluate``; ``by`` does not go with the kind, or "corp" is asked of a stream.

    Notes
    -----
    Each part says what would mend it; none says how certain it is. "corp" flatters discrimination on few rows, for recalibration fits them.

    References
    ----------
    Theil, H. (1966), Applied Economic Forecasting, p. 26. Murphy, A. H. (1988), doi:10.1175/1520-0493(1988)116<2417:SSBOTM>2.0.CO;2.
    Dimitriadis, T., Gneiting, T. and Jordan, A. I. (2021), doi:10.1073/pnas.2016191118.

    Examples
    --------
    >>> import squarely as sq
    >>> parts = sq.decompose([250, 300, 180, 420, 350], [240, 310, 200, 400, 360], kind="bias_variance")
    >>> parts["bias"].value, parts["variance"].value, parts.total
    (4.0, 216.0, 220.0)
    """
    if not isinstance(kind, str) or kind not in _KINDS:
        raise DataError(f"kind is {repr(kind)[:60]}; expected {', '.join(map(repr, _KINDS))}.")
    if (by is not None) != (kind == "groups"):
        cure = "needs the groups: give by=" if by is None else "takes no groups: leave by= out, or ask for kind='groups'"
        raise DataError(f"kind={kind!r} {cure}.")
    check_policy(nan_policy)
    if nan_policy == "propagate":
        raise DataError("nan_policy='propagate' leaves no number to take apart; expected 'raise', 'omit_targets' or 'omit'.")
    names = {"target": target, "prediction": prediction, "by": by, "weight": weight}
    if kind == "corp":
        source, wanted = source_of(data, y_pred, **names)
        if not source.rereadable:
            raise DataError(f"{source.name}: kind='corp' needs all rows, and a stream is read once. Give a table, a file or arrays.")
    evaluation = evaluate(data, y_pred, **names, metrics="mse", nan_policy=nan_policy, ci="none")
    for model, state in evaluation.states.items():
        if not state.n:
            raise nothing_left(sum(state.refused), sum(state.refused), f"{evaluation.provenance.source}, model {model[:60]!r}")
    if kind == "corp":
        y, predictions, w = rows_of(source, wanted)
        splits = {model: corp(state, y, p, w) for (model, state), p in zip(evaluation.states.items(), predictions, strict=True)}
    elif kind == "groups":
        states = evaluation.table.groups.values()
        splits = {
            model: between_and_within(state.sums, [of_models[at].sums for of_models in states])
            for at, (model, state) in enumerate(evaluation.states.items())
        }
    else:
        splits = {model: _OF_SUMS[kind](state.sums) for model, state in evaluation.states.items()}
    used = {model: Used(state.n, state.n + sum(state.refused)) for model, state in evaluation.states.items()}
    return Decomposition(kind, _KINDS[kind], splits, used)


def parts_of_sums(kind: str, sums: Sums) -> Split:
    """Return the parts that the sums of a model give: kind "theil" or "bias_variance"."""
    return _OF_SUMS[kind](sums)


def parts_of_rows(y: Any, p: Any, w: Any) -> tuple[PairState, Split, int]:
    """Return the state of finite rows of some weight, their parts of kind "corp", and the steps of the recalibration."""
    state = PairState.of(y, p, w)
    return state, corp(state, y, p, w), int(stretches(y, p, w).max()) + 1
