"""Least squares from the exact moments of rows: estimators that add, subtract and are right to the last digit."""

from squarely.linear.equations import NormalEquations
from squarely.linear.estimator import GramEstimator
from squarely.linear.expectile import ExpectileRegression
from squarely.linear.generalised import GeneralizedLeastSquares
from squarely.linear.heteroscedastic import HeteroscedasticRegression
from squarely.linear.inference import Inference
from squarely.linear.ordinary import LinearRegression
from squarely.linear.quantile import QuantileRegression
from squarely.linear.reading import gram, grams
from squarely.linear.robust import HuberRegression, StudentTRegression, TukeyRegression
from squarely.linear.terms import interaction, poly
from squarely.linear.trimmed import LeastTrimmedSquares
from squarely.state import GramState

__all__ = [
    "ExpectileRegression",
    "GeneralizedLeastSquares",
    "GramEstimator",
    "GramState",
    "HeteroscedasticRegression",
    "HuberRegression",
    "Inference",
    "LeastTrimmedSquares",
    "LinearRegression",
    "NormalEquations",
    "QuantileRegression",
    "StudentTRegression",
    "TukeyRegression",
    "WeightedLeastSquares",
    "gram",
    "grams",
    "interaction",
    "poly",
]

WeightedLeastSquares = LinearRegression  # under the name that says what ``sample_weight`` makes of it
