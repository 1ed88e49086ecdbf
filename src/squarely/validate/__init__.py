"""The gate: the one place that judges numbers, shapes, weights and missing values, by the table below.

| case | what happens |
|---|---|
| lengths or shapes differ | refused, both named; only (n,) and (n, 1) are the same column; nothing is broadcast |
| NaN or infinity | refused with count and first row; ``omit_targets`` drops rows without a target, ``omit`` all such, ``propagate`` answers nan |
| None, NA, masked | missing, like NaN |
| empty, or no weight above 0 | refused |
| weight negative or not finite | refused with its row |
| text | refused with its row; a category takes it, and refuses a missing one |
| integers, bool, bfloat16, Decimal, Fraction | widened exactly before any arithmetic |
| tensors | read where they lie, or brought over from their device in chunks |
"""

from squarely.validate.categories import Category, Coded, Crossed, Level, coded, crossed, in_order, unlabelled
from squarely.validate.columns import bad_weight, column, frame_columns, more_columns, pair_columns
from squarely.validate.design import Design, blocks, design, dimensions, exact_parts, names_of, whole_rows
from squarely.validate.numbers import Missing, Place, as_array, numbers, one_column
from squarely.validate.outputs import as_one_column, output_columns, output_weights, pair_outputs
from squarely.validate.policy import POLICIES, accepts, check_fit_policy, check_policy, judge, nothing_left, refused_rows

__all__ = [
    "POLICIES",
    "Category",
    "Coded",
    "Crossed",
    "Design",
    "Level",
    "Missing",
    "Place",
    "accepts",
    "as_array",
    "as_one_column",
    "bad_weight",
    "blocks",
    "check_fit_policy",
    "check_policy",
    "coded",
    "column",
    "crossed",
    "design",
    "dimensions",
    "exact_parts",
    "frame_columns",
    "in_order",
    "judge",
    "more_columns",
    "names_of",
    "nothing_left",
    "numbers",
    "one_column",
    "output_columns",
    "output_weights",
    "pair_columns",
    "pair_outputs",
    "refused_rows",
    "unlabelled",
    "whole_rows",
]
