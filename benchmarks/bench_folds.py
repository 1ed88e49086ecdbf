"""Least squares by cross-validation from one state: lasso and ridge beside scikit-learn's, the pass over the data included."""

from collections.abc import Callable
from functools import partial

import numpy as np
from threadpoolctl import threadpool_limits  # scikit-learn brings it
from timing import Options, Sheet, in_turn, seconds, timed

_FOLDS, _PENALTIES = 5, 100


def rows_of(rows: int, features: int):
    """Return standard normal features, of which a fifth makes the target, with noise as large as one of them."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((rows, features))
    return x, x[:, : features // 5].sum(axis=1) + rng.standard_normal(rows)


def lasso(options: Options, sheet: Sheet) -> None:
    from sklearn.linear_model import LassoCV as Peer

    from squarely.linear import GramState, LassoCV

    rows, features = min(options.rows, 1_000_000), 50
    sheet.title(f"31. LassoCV of {_FOLDS} folds x {_PENALTIES} alphas: {rows:,} rows, {features} features, against scikit-learn's", "seconds")
    x, y = rows_of(rows, features)
    ours, peer = LassoCV(cv=_FOLDS, alphas=_PENALTIES), Peer(cv=_FOLDS, alphas=_PENALTIES)
    ours.fit(x, y)
    peer.fit(x, y)
    pairs = [(ours.alpha_, peer.alpha_), *zip(ours.mse_path_.min(axis=0), peer.mse_path_.min(axis=0), strict=True)]
    if not sheet.agree("alpha and the least errors of folds, to the tol of the peer", pairs, within=1e-3):
        return
    repeats = min(options.repeats, 3)
    sheet.line("fit, with the pass over the rows", *timed(partial(ours.fit, x, y), partial(peer.fit, x, y), repeats), ratio_at_most=1 / 3)
    again = partial(LassoCV.from_states, ours.folds_, alphas=_PENALTIES)
    sheet.line("the same from the states of the folds", *timed(again, partial(peer.fit, x, y), 1))
    sheet.line("the pass alone, exact; peer: x.T @ x in doubles", *timed(lambda: GramState.of(x, y).moments, lambda: x.T @ x, repeats))


def ridge(options: Options, sheet: Sheet) -> None:
    from sklearn.linear_model import RidgeCV as Peer

    from squarely.linear import RidgeCV

    rows, features = min(options.rows, 500_000), 20
    alphas = np.logspace(-2, 5, _PENALTIES)
    sheet.title(
        f"32. RidgeCV of {_FOLDS} folds x {_PENALTIES} alphas: {rows:,} rows, {features} features, against scikit-learn's with cv={_FOLDS}", "seconds"
    )
    x, y = rows_of(rows, features)
    ours, peer = RidgeCV(alphas, cv=_FOLDS), Peer(alphas, cv=_FOLDS, scoring="neg_mean_squared_error")
    theirs = seconds(partial(peer.fit, x, y))  # refits for each fold and alpha take minutes: one turn
    ours.fit(x, y)
    pairs = [(ours.alpha_, peer.alpha_), (ours.mse_path_.mean(axis=1).min(), -peer.best_score_)]
    if not sheet.agree("alpha and its error", pairs):
        return
    whole, part = in_turn(partial(seconds, partial(ours.fit, x, y)), partial(seconds, partial(RidgeCV.from_states, ours.folds_, alphas=alphas)), 3)
    sheet.line("fit, with the pass over the rows", whole, theirs, ratio_at_most=1 / 100)
    sheet.line("the same from the states of the folds", part, theirs)


def _on_one_thread(section: Callable[[Options, Sheet], None]) -> Callable[[Options, Sheet], None]:
    """Let BLAS have one thread on both sides: how many share a core would decide otherwise."""

    def limited(options: Options, sheet: Sheet) -> None:
        with threadpool_limits(1, user_api="blas"):
            section(options, sheet)

    return limited


SECTIONS = {31: _on_one_thread(lasso), 32: _on_one_thread(ridge)}
