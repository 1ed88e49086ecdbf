"""What can be added and subtracted: exact sums over pairs."""

from squarely.state.pairs import PairState
from squarely.state.quantile import best_constant
from squarely.state.ratio import Ratio
from squarely.state.sums import Sums
from squarely.state.table import StateTable

__all__ = ["PairState", "Ratio", "StateTable", "Sums", "best_constant"]
