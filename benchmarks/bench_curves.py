"""What a learning curve costs, and a validation curve along a penalty, beside scikit-learn's refits."""

from functools import partial

import numpy as np
from bench_folds import rows_of
from threadpoolctl import threadpool_limits  # scikit-learn brings it
from timing import Options, Sheet, seconds, timed

ROWS, FEATURES, FOLDS, SIZES, PENALTIES = 100_000, 20, 5, 10, 20


def curves(options: Options, sheet: Sheet) -> None:
    from sklearn import linear_model, model_selection

    import squarely as sq
    from squarely.linear import LinearRegression, Ridge

    sheet.title(f"34. Curves of {FOLDS} folds: {ROWS:,} rows, {FEATURES} features, against scikit-learn's", "seconds")
    x, y = rows_of(ROWS, FEATURES)
    folds, shares, alphas = model_selection.KFold(FOLDS), np.linspace(0.1, 1.0, SIZES), np.logspace(-1, 5, PENALTIES)
    scoring = "neg_mean_squared_error"
    ours = {
        f"learning curve of {SIZES} sizes, LinearRegression": partial(
            sq.learning_curve, LinearRegression(), x, y, sizes=shares, folds=folds, seed=None
        ),
        f"validation curve of {PENALTIES} alphas, Ridge": partial(
            sq.validation_curve, Ridge(), x, y, parameter="alpha", values=alphas, folds=folds, seed=None
        ),
    }
    peers = (
        partial(model_selection.learning_curve, linear_model.LinearRegression(), x, y, train_sizes=shares, cv=folds, scoring=scoring),
        partial(model_selection.validation_curve, linear_model.Ridge(), x, y, param_name="alpha", param_range=alphas, cv=folds, scoring=scoring),
    )
    with threadpool_limits(1, user_api="blas"):
        for (words, mine), peer, at_most in zip(ours.items(), peers, (1 / 3, 1 / 3), strict=True):
            found, scores = mine(), peer()
            pairs = [*zip(found.training.fold_mse.ravel(), -scores[-2].ravel(), strict=True)]
            pairs += zip(found.validation.fold_mse.ravel(), -scores[-1].ravel(), strict=True)
            if sheet.agree("errors of folds", pairs):
                sheet.line(words, *timed(mine, peer, min(options.repeats, 3)), ratio_at_most=at_most)
    refit = partial(sq.learning_curve, linear_model.LinearRegression(), x, y, sizes=shares, folds=folds, seed=None)
    with threadpool_limits(1, user_api="blas"):
        sheet.line("the same of scikit-learn's LinearRegression, by refits", seconds(refit), seconds(peers[0]))


SECTIONS = {34: curves}
