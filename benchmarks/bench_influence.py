"""What it costs to ask what each row does to a fit of least squares."""

import numpy as np
from timing import Options, Sheet, timed

from squarely.linear import LinearRegression

ROWS, FEATURES = 4_000, 10


def influence(options: Options, sheet: Sheet) -> None:
    import statsmodels.api as sm  # a peer that may not be there stops this section, not the others

    sheet.title(f"33. Influence of each of {ROWS:,} rows, {FEATURES} features", "milliseconds")
    rng = np.random.default_rng(0)
    x = rng.standard_normal((ROWS, FEATURES))
    y = x @ rng.standard_normal(FEATURES) + rng.standard_normal(ROWS)
    model, peer = LinearRegression().fit(x, y), sm.OLS(y, sm.add_constant(x)).fit()
    found, expected = model.influence(x, y), peer.get_influence().summary_frame()
    for mine, theirs in (
        (found.cooks_distances, "cooks_d"),
        (found.standardized_residuals, "standard_resid"),
        (found.studentized_residuals, "student_resid"),
        (found.leverages, "hat_diag"),
        (found.dffits, "dffits"),
        (found.dfbetas[:, 0], "dfb_const"),
    ):
        np.testing.assert_allclose(mine, expected[theirs], rtol=1e-9, atol=1e-12)
    measured = timed(lambda: model.influence(x, y), lambda: peer.get_influence().summary_frame(), options.repeats, 1e3)
    sheet.line("influence, against statsmodels' summary_frame", *measured, ratio_at_most=1 / 500)


SECTIONS = {33: influence}
