"""Least squares from the exact moments of rows: estimators that add, subtract and are right to the last digit."""

from squarely.linear.elastic_net import ElasticNet, Lasso
from squarely.linear.elastic_net_cv import ElasticNetCV, LassoCV
from squarely.linear.equations import NormalEquations
from squarely.linear.estimator import GramEstimator
from squarely.linear.inference import Inference
from squarely.linear.nonnegative import NonNegativeLeastSquares
from squarely.linear.ordinary import LinearRegression
from squarely.linear.ridge import Ridge, RidgeCV
from squarely.linear.stein import JamesStein
from squarely.state import GramState

__all__ = [
    "ElasticNet",
    "ElasticNetCV",
    "GramEstimator",
    "GramState",
    "Inference",
    "JamesStein",
    "Lasso",
    "LassoCV",
    "LinearRegression",
    "NonNegativeLeastSquares",
    "NormalEquations",
    "Ridge",
    "RidgeCV",
]
