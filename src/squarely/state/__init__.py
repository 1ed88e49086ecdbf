"""What can be added and subtracted: exact sums over pairs, and what is kept beside them."""

from squarely.state.alone import Alone
from squarely.state.buckets import Buckets, Moments
from squarely.state.dyadic import Dyadic
from squarely.state.gram import GramState, deal
from squarely.state.pairs import PairState, sums_of, sums_of_groups, sums_of_plain
from squarely.state.ratio import Ratio
from squarely.state.rows import Rows, seasonal_scale
from squarely.state.schema import Feature, Grouping, Schema
from squarely.state.sizes import BUCKET_SHIFT, RELATIVE_BOUND, Sizes
from squarely.state.sums import NoAnswerError, OutsideDomainError, Sums
from squarely.state.table import StateTable
from squarely.state.terms import NOTHING, RECIPES, Plan, Term

__all__ = [
    "BUCKET_SHIFT",
    "NOTHING",
    "RECIPES",
    "RELATIVE_BOUND",
    "Alone",
    "Buckets",
    "Dyadic",
    "Feature",
    "GramState",
    "Grouping",
    "Moments",
    "NoAnswerError",
    "OutsideDomainError",
    "PairState",
    "Plan",
    "Ratio",
    "Rows",
    "Schema",
    "Sizes",
    "StateTable",
    "Sums",
    "Term",
    "deal",
    "seasonal_scale",
    "sums_of",
    "sums_of_groups",
    "sums_of_plain",
]
