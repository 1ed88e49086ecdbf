"""Least squares beside the certified values of NIST. The ceilings are what exact arithmetic reaches from the doubles nearest to the data."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from nist_sets import CERTIFIED, EXACT_OF_DOUBLES, columns, designed, digits
from squarely.linear import GramState, LinearRegression, NormalEquations, poly

LINEAR = sorted(CERTIFIED["linear"])
CEILING = {"Filip": 7.5, "Wampler2": 13.1}  # rounding the powers of x, and y, moves the exact solution so far; elsewhere 13 digits
# Sums of squares of residuals next to 0: the rounding of y alone moves them. Filip's R2 has lost as much to its powers.
CEILING_OF_ERRORS = {"Filip": 7.5}


def fitted(name: str) -> LinearRegression:
    x, y, intercept = designed(name)
    return LinearRegression(fit_intercept=intercept).fit(x, y)


@pytest.mark.parametrize("name", LINEAR)
def test_coefficients_are_the_certified_ones(name: str) -> None:
    estimates = fitted(name).inference_.estimates[:, 0]
    assert digits(estimates, CERTIFIED["linear"][name]["beta"]) >= CEILING.get(name, 13)


@pytest.mark.parametrize("name", LINEAR)
def test_coefficients_are_the_exact_ones_of_the_doubles(name: str) -> None:
    assert digits(fitted(name).inference_.estimates[:, 0], EXACT_OF_DOUBLES[name]) >= 15.3


@pytest.mark.parametrize("name", LINEAR)
def test_standard_errors_and_r2_are_the_certified_ones(name: str) -> None:
    inference, certified = fitted(name).inference_, CERTIFIED["linear"][name]
    least = CEILING_OF_ERRORS.get(name, 13)
    assert digits(inference.standard_errors[:, 0], certified["beta_sd"]) >= least
    assert digits(inference.residual_std, [certified["resid_sd"]]) >= least
    assert digits(inference.r2, [certified["r2"]]) >= (11.5 if name == "Filip" else 13)


def test_powers_formed_with_32_digits_go_through_filip() -> None:
    """A matrix of doubles has 7.6 digits left; the powers of the doubles nearest to the data have 14."""
    y, x = columns("Filip")
    model = LinearRegression(features=[poly("x", 10)]).fit({"x": x, "y": y}, "y")
    inference, certified = model.inference_, CERTIFIED["linear"]["Filip"]
    assert digits(inference.estimates[:, 0], certified["beta"]) >= 13.9
    assert digits(inference.standard_errors[:, 0], certified["beta_sd"]) >= 13
    assert digits(inference.residual_std, [certified["resid_sd"]]) >= 13.5
    assert digits(inference.r2, [certified["r2"]]) >= 14
    on_an_array = LinearRegression(features=[poly("x0", 10)]).fit(x[:, None], y)
    assert on_an_array.coef_.tobytes() == model.coef_.tobytes()
    assert np.abs(on_an_array.predict(x[:, None]) - y).max() < 0.01


@pytest.mark.parametrize("name", ["PiDigits", "Mavro", "NumAcc1", "NumAcc2", "NumAcc3"])
def test_means_and_standard_deviations_of_one_variable(name: str) -> None:
    (y,) = columns(name)
    equations = NormalEquations.of(GramState.of(np.empty((len(y), 0)), y))
    mean, deviation = equations.means[0], float(np.sqrt(equations.total_squares[0] / (len(y) - 1)))
    exact = [Fraction(value) for value in y.tolist()]
    centre = sum(exact) / len(exact)
    assert mean == float(centre)
    variance = sum((value - centre) ** 2 for value in exact) / (len(exact) - 1)
    assert abs(Fraction(deviation) ** 2 / variance - 1) < Fraction(4, 2**52)  # two roundings, and a square
    certified = CERTIFIED["univariate"][name]
    assert digits(mean, [certified["mean"]]) >= 14
    assert digits(deviation, [certified["sd"]]) >= {"NumAcc2": 14, "NumAcc3": 9.4, "Mavro": 13}.get(name, 14.5)
