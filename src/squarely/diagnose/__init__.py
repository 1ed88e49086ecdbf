"""What is wrong with a model, how much it matters for its squared error, and what mends it."""

from collections.abc import Iterable
from typing import Any

from squarely.diagnose.diagnosis import Diagnosis
from squarely.diagnose.finding import Finding

__all__ = ["Diagnosis", "Finding", "diagnose"]


def diagnose(
    data: Any,
    y_pred: Any = None,
    *,
    target: str | None = None,
    prediction: str | Iterable[str] | None = None,
    by: Any = None,
    weight: Any = None,
    sigma: Any = None,
    cluster: Any = None,
    order: Any = None,
    training: Any = None,
    functional: str = "mean",
    nan_policy: str = "omit",
) -> Diagnosis:
    r"""Say what is wrong with a model, how much of its squared error that is, and what mends it.

    .. math:: \text{finding} \iff \text{effect} > \text{threshold} \;\text{and}\; p_\text{Holm} < 0.05

    Each check measures an effect, and tells it where it matters in practice: with many rows no tiny difference raises an alarm. The
    p-value only guards against few rows, for all checks of a model together.

    Parameters
    ----------
    data : Evaluation, table, path, or array-like of shape (n,) or (n, outputs)
        As ``evaluate`` takes them, like ``y_pred``, ``target``, ``prediction``, ``by`` and ``weight``. Of an ``Evaluation`` the checks see
        what it holds: its sums, and a sample of its rows.
    sigma : str, or array-like of shape (n,)
        The standard deviations that were predicted, in the unit of the target.
    cluster, order
        How rows depend on each other, as in ``evaluate``. With ``by`` and ``order`` each group is a series.
    training : Evaluation, table, path, or pair of arrays
        The rows that the model was fitted to, with the same columns.
    functional : "mean", "median" or "quantile"
        What is wanted of the target: it decides which loss is recommended.
    nan_policy : "omit", "omit_targets" or "raise"
        What missing values do; what is left out is a finding.

    Returns
    -------
    Diagnosis
        ``.findings``, the worst first, ``.verdict``, ``.recommended_loss``, ``.advice``, ``.not_testable``; print it.

    Raises
    ------
    DataError
        As ``evaluate``.

    Notes
    -----
    A check says what the errors show, not why; the fix is the usual one. Without the columns of the model (its features) nothing is said
    about single features, leverage or collinearity.

    References
    ----------
    The source of each check is in its own documentation.

    Examples
    --------
    >>> import numpy as np
    >>> import squarely as sq
    >>> x = np.linspace(0, 12, 400)
    >>> y = 10 + 3 * np.sin(x) + 0.3 * np.cos(97 * x)
    >>> print(sq.diagnose(y, 10 + 6 * np.sin(x)).findings[0].title)
    Predictions vary too much or too little
    """
    from squarely.diagnose.asking import asked  # with all checks it is slow to load, and most who import squarely ask none

    return asked(
        data,
        y_pred,
        target=target,
        prediction=prediction,
        by=by,
        weight=weight,
        sigma=sigma,
        cluster=cluster,
        order=order,
        training=training,
        functional=functional,
        nan_policy=nan_policy,
    )
