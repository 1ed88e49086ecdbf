"""The gate: the one place that judges numbers, shapes, weights and missing values, by the table below.

| case | what happens |
|---|---|
| lengths or shapes differ | refused, both named; only (n,) and (n, 1) are the same column; nothing is broadcast |
| NaN or infinity | refused with count and first row; ``omit_targets`` drops rows without a target, ``omit`` all such, ``propagate`` answers nan |
| None, NA, masked | missing, like NaN |
| empty, or no weight above 0 | refused |
| weight negative or not finite | refused with its row |
| text | refused with its row |
"""

from squarely.validate.columns import bad_weight, pair_columns, pair_outputs
from squarely.validate.numbers import Place, numbers, one_column
from squarely.validate.policy import POLICIES, accepts, check_policy, judge, nothing_left, refused_rows

__all__ = [
    "POLICIES",
    "Place",
    "accepts",
    "bad_weight",
    "check_policy",
    "judge",
    "nothing_left",
    "numbers",
    "one_column",
    "pair_columns",
    "pair_outputs",
    "refused_rows",
]
