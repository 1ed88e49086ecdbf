"""Rows that are at hand: the sample of an evaluation, and what it shows where nobody watched all rows."""

from typing import Any

import numpy as np

from squarely.diagnose.evidence import Drawn
from squarely.diagnose.finding import ALL_ROWS
from squarely.diagnose.watch import Watcher, watcher_for
from squarely.evaluate import Evaluation, Sample
from squarely.sources import Batch, Column, Wanted

__all__ = ["drawn_of", "of_sample"]


def drawn_of(evaluation: Evaluation, model: str, sigma: Any = None) -> Drawn:
    """Return the rows of the sample that count."""
    sample = evaluation.sample
    if sample is None:
        nothing = np.empty(0)
        return Drawn(nothing, nothing, nothing, None, "no row")
    y, p = sample.target, sample.predictions[model]
    w = np.ones(len(y)) if sample.weight is None else sample.weight
    kept = np.isfinite(y) & np.isfinite(p) & (w > 0)
    whole = len(y) == evaluation.provenance.rows
    w = np.ldexp(w[kept], -int(np.frexp(w[kept].max(initial=0.0))[1]))  # of which squares and sums are doubles
    return Drawn(y[kept], p[kept], w, None if sigma is None else sigma[kept], ALL_ROWS if whole else f"a sample of {len(y):,} rows")


def of_sample(evaluation: Evaluation, model: str) -> tuple[Watcher, str, Drawn]:
    """Return what the sample of an evaluation shows."""
    drawn, sample = drawn_of(evaluation, model), evaluation.sample
    uncertainty = evaluation.uncertainty
    ordered = uncertainty is not None and uncertainty.way == "order" and not evaluation.by  # rows drawn do not know whom they follow
    wanted = Wanted(evaluation.provenance.target, (model,), evaluation.provenance.weight, way="order" if ordered else "none")
    watcher = watcher_for(wanted)
    if sample is not None:
        _see(watcher, sample, model, evaluation.provenance.source, wanted)
        rows = evaluation.largest.get(model, ())
        if rows and drawn.source != ALL_ROWS:
            watcher.largest = [(np.array([row.size for row in rows]), list(rows))]  # those of all rows, and not of the sample alone
    return watcher, drawn.source, drawn


def _see(watcher: Watcher, sample: Sample, model: str, where: str, wanted: Wanted) -> None:
    p = Column(sample.predictions[model])
    weight = None if sample.weight is None else Column(sample.weight)
    watcher.see(Batch(Column(sample.target), (p,), weight, (), 0, where), p, wanted)
    watcher.largest = [(sizes, [row._replace(row=int(sample.ordinals[row.row - 1]) + 1) for row in rows]) for sizes, rows in watcher.largest]
