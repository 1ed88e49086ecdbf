"""Least squares from the exact moments of rows: estimators that add, subtract and are right to the last digit."""

from squarely.linear.assumptions import FitDiagnosis
from squarely.linear.asymptotic import AsymptoticInference
from squarely.linear.collinearity import Collinearity
from squarely.linear.elastic_net import ElasticNet, Lasso
from squarely.linear.elastic_net_cv import ElasticNetCV, LassoCV
from squarely.linear.equations import NormalEquations
from squarely.linear.estimator import GramEstimator
from squarely.linear.expectile import ExpectileRegression
from squarely.linear.generalised import GeneralizedLeastSquares
from squarely.linear.heteroscedastic import HeteroscedasticRegression
from squarely.linear.inference import Inference
from squarely.linear.influence import Influence
from squarely.linear.likelihood import Likelihood
from squarely.linear.nonnegative import NonNegativeLeastSquares
from squarely.linear.ordinary import LinearRegression
from squarely.linear.plots import Plot
from squarely.linear.prediction import Prediction
from squarely.linear.quantile import QuantileRegression
from squarely.linear.reading import gram, grams
from squarely.linear.ridge import Ridge, RidgeCV
from squarely.linear.robust import RobustInference
from squarely.linear.robust_regression import HuberRegression, StudentTRegression, TukeyRegression
from squarely.linear.stein import JamesStein
from squarely.linear.summary import Summary
from squarely.linear.terms import category, interaction, poly
from squarely.linear.trimmed import LeastTrimmedSquares
from squarely.linear.windowing import windows
from squarely.state import GramState

WeightedLeastSquares = LinearRegression  # under the name that says what ``sample_weight`` makes of it

__all__ = [
    "AsymptoticInference",
    "Collinearity",
    "ElasticNet",
    "ElasticNetCV",
    "ExpectileRegression",
    "FitDiagnosis",
    "GeneralizedLeastSquares",
    "GramEstimator",
    "GramState",
    "HeteroscedasticRegression",
    "HuberRegression",
    "Inference",
    "Influence",
    "JamesStein",
    "Lasso",
    "LassoCV",
    "LeastTrimmedSquares",
    "Likelihood",
    "LinearRegression",
    "NonNegativeLeastSquares",
    "NormalEquations",
    "Plot",
    "Prediction",
    "QuantileRegression",
    "Ridge",
    "RidgeCV",
    "RobustInference",
    "StudentTRegression",
    "Summary",
    "TukeyRegression",
    "WeightedLeastSquares",
    "category",
    "gram",
    "grams",
    "interaction",
    "poly",
    "windows",
]
