"""Which model is better: paired tests on the same rows, in one pass."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from squarely.compare.asked import Asked
from squarely.compare.baselines import BASELINES, rules_of
from squarely.compare.comparison import Comparison, Pair
from squarely.compare.murphy import Murphy
from squarely.compare.pairwise import at_hand
from squarely.compare.together import Together
from squarely.errors import DataError
from squarely.evaluate import evaluate_source, library_of, plan_for, source_of, with_way
from squarely.metric import Question, find
from squarely.validate import check_policy

__all__ = ["BASELINES", "Comparison", "Murphy", "Pair", "at_hand", "compare"]


def compare(
    data: Any,
    y_pred: Any = None,
    *,
    target: str | None = None,
    prediction: str | Iterable[str] | None = None,
    metric: Any = "mse",
    weight: Any = None,
    baseline: str | Iterable[str] = (),
    seasonality: int = 1,
    confidence: float = 0.95,
    cluster: Any = None,
    order: Any = None,
    h: int | None = None,
    macro: str | None = None,
    model: str | None = None,
    nan_policy: str = "raise",
) -> Comparison:
    r"""Say which of several models is better, by how much, and how sure that is.

    .. math:: t = \frac{\theta_a - \theta_b}{s}, \quad s = \frac{\mathrm{sd}(\psi_a - \psi_b)}{\sqrt G}

    The pseudo-values :math:`\psi` are those of the delete-one-bucket jackknife; up to 2,048 rows each row is a bucket, and for a mean
    loss the test is then the paired t test of the losses. R2 and errors over a spread are tested on the logarithm of the error,
    from which what all models are divided by is gone.

    Parameters
    ----------
    data : table, path, or array-like of shape (n,)
        As ``evaluate`` takes them, like ``target``, ``prediction`` and ``weight``.
    y_pred : mapping from model to array-like of shape (n,), optional
        Where the data are the targets.
    metric : str or metric function
        Where lower or higher is better.
    baseline : str or several of "mean", "median", "last_value", "seasonal_naive"
        Simple rules that are compared too. The first two know all targets; the last two take rows in order, and the first rows, for
        which they have no prediction, are left out for all models. With ``h`` they look as far ahead. ``seasonality`` is the rows of a
        season. No rule takes a pass of its own. The median, and under metrics that take more than sums of squares, such as "mae", the
        mean too, keep 8 bytes of each row until they are known, and as many for a weight and each further column of the metric; to find
        the median takes 10 more, or 45 with weights.
    confidence : float
        Of the intervals, in the unit of the metric. A difference is proved where its p-value, for all pairs together, is below
        1 - confidence.
    cluster, order
        How rows depend on each other, as in ``evaluate``.
    h : int, optional
        Rows are forecasts ``h`` steps ahead in order of time: the test is that of Diebold and Mariano, as Harvey, Leybourne and Newbold
        correct it. It reads the rows again, which a stream refuses, and takes metrics that are means of losses.
    macro : str, optional
        A column of groups that count alike, as series: the metric is the mean over them of that of each, and groups are the pairs.
        Baselines that take a row before take it of the same group, whose rows lie in order: of the column of ``order``, or ``True``.
    model : str, optional
        The column that names the model, where a table has a row for each model; it takes ``macro``, and a group counts where every model
        has the same number of rows in it.
    nan_policy : "raise", "omit_targets" or "omit"
        With "omit" a row counts only where every model has a prediction, so that none looks better for what it left out.

    Returns
    -------
    Comparison
        ``.verdict``, ``.ranking``, ``.pairs`` (each ``.a``, ``.b``, ``.difference``, ``.ci``, ``.p_value``);
        ``to_frame()``, ``to_dict()``, ``to_markdown()``, ``to_html(path)``; print it.

    Raises
    ------
    DataError
        As ``evaluate``; there are not two models, or the metric has no better side, or no paired test.

    Notes
    -----
    It tells whether the models differ on rows like these. A difference that is proved may still be too small to matter: see its size.
    The data are read once, and again for ``h`` and, where they are no stream, to see how hard the rows are that are left out.

    References
    ----------
    Efron, B. (1982), The Jackknife, the Bootstrap and Other Resampling Plans, SIAM.

    Examples
    --------
    >>> import squarely as sq
    >>> y = [250, 300, 180, 420, 350, 270]
    >>> comparison = sq.compare(y, {"new": [240, 310, 190, 410, 355, 265], "old": [230, 330, 150, 440, 320, 300]})
    >>> print(comparison.verdict)
    new beats old on MSE by 658 (95 % interval 360 to 950, p = 0.0022).
    """
    question = _question(metric)
    check_policy(nan_policy)
    if nan_policy == "propagate":
        raise DataError("nan_policy='propagate' leaves nothing to compare; expected 'raise', 'omit_targets' or 'omit'.")
    if model is not None and (macro is None or h is not None or baseline):
        raise DataError("model= compares groups of rows that count alike: name them with macro=, and leave h= and baseline= out.")
    source, wanted = source_of(data, y_pred, target, prediction, macro if model is None else (model, macro), weight)
    if h is not None:
        if not isinstance(h, int) or isinstance(h, bool) or h < 1:
            raise DataError(f"h is {str(h)[:60]}; expected a whole number of at least 1: the steps that forecasts look ahead.")
        order = True if order is None else order
    arrays = y_pred is not None
    source, wanted = with_way(source, wanted, None if macro is None else "none", confidence, cluster, order, arrays)
    names = (baseline,) if isinstance(baseline, str) else tuple(baseline)
    added = rules_of(names, seasonality, 1 if h is None else h, order, wanted, question)
    wanted = replace(wanted, predictions=(*wanted.predictions, *added))
    wanted = replace(wanted, plan=plan_for((question,), wanted, arrays))
    if (len(wanted.predictions) == 1) == (model is None):
        raise DataError(
            "there is one model. Give several predictions, or a baseline such as baseline='mean'."
            if model is None
            else "model= takes one column of predictions, for each row is of one model."
        )
    naive = any(name in BASELINES[2:] for name in names)
    if naive and macro is not None and isinstance(order, str):
        wanted = replace(wanted, along=order)  # the rules judge the order of each group
    together = Together(source, added, common=model is None and (nan_policy == "omit" or naive))
    if h is not None and not source.rereadable:
        raise DataError(f"{source.name}: h= reads the rows again, and a stream is read once. Give a table or a file, or compare by order= alone.")
    evaluation = evaluate_source(together, wanted, (question,), "omit" if naive else nan_policy, confidence, exact=False, late=together.late)
    test = Asked(evaluation, question, confidence, together, wanted, library_of(data))
    return test.comparison(h, macro, long=model is not None)


def _question(metric: Any) -> Question:
    question = find(metric)
    if question.metric.direction == "target":
        raise DataError(f"{question.label} is best near {question.metric.best:g}, from both sides. Compare by an error or a score, such as 'mse'.")
    if question.metric.inputs:
        ends = " and ".join(question.metric.inputs)
        raise DataError(f"{question.label} judges the columns {ends}, which are the same for every model here. Choose a metric of predictions.")
    if any(need.reads_rows for need in question.needs):
        raise DataError(f"{question.label} reads the rows twice, and has no paired test here. Choose another metric, such as 'mae'.")
    return question
