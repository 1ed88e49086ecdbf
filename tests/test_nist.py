"""Regression and analysis of variance beside the certified values of NIST. The ceilings are those of exact arithmetic on the nearest doubles."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

from nist_sets import CERTIFIED, EXACT_OF_DOUBLES, columns, designed, digits, grouped, simon_and_lesage
from squarely.linear import GramState, LinearRegression, NormalEquations, poly
from squarely.linear.summary import f_statistic

LINEAR = sorted(CERTIFIED["linear"])
CEILING = {"Filip": 7.5, "Wampler2": 13.1}  # rounding the powers of x, and y, moves the exact solution so far; elsewhere 13 digits
# Sums of squares of residuals next to 0: the rounding of y alone moves them. Filip's R2 has lost as much to its powers.
CEILING_OF_ERRORS = {"Filip": 7.5}


CEILING_OF_F = {"Filip": 9.2}
# The doubles nearest to numbers with so many leading digits that are all the same keep no more of what differs.
CEILING_OF_ANOVA = {"AtmWtAg": 10.1, "SiRstv": 13, **{f"SmLs0{n}": 10.1 for n in (4, 5, 6)}, **{f"SmLs0{n}": 4.1 for n in (7, 8, 9)}}


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


@pytest.mark.parametrize("name", LINEAR)
def test_f_statistics_are_the_certified_ones(name: str) -> None:
    model, certified = fitted(name), CERTIFIED["linear"][name]["F"]
    found = f_statistic(model.equations_, model.exact_coef_, model.inference_, 0)
    if certified == "Infinity":
        assert found > 1e30  # what rounding left of residuals that are 0
    else:
        assert digits(found, [certified]) >= CEILING_OF_F.get(name, 13)


@pytest.mark.parametrize("name", sorted(CERTIFIED["anova"]))
def test_analysis_of_variance_is_least_squares_on_a_column_for_each_group(name: str) -> None:
    y, group = grouped(name)
    labels, certified = np.unique(group), CERTIFIED["anova"][name]
    model = LinearRegression().fit((group[:, None] == labels[1:]).astype(float), y)
    inference, least = model.inference_, CEILING_OF_ANOVA.get(name, 14.5)
    assert (len(y), model.rank_, inference.freedom) == (certified["n"], int(certified["between_df"]), int(certified["within_df"]))
    assert digits(inference.r2, [certified["r2"]]) >= least
    assert digits(inference.residual_std, [certified["resid_sd"]]) >= least
    assert digits(f_statistic(model.equations_, model.exact_coef_, inference, 0), [certified["F"]]) >= least
    means = np.array([float(sum(map(Fraction, y[group == label].tolist())) / int((group == label).sum())) for label in labels])
    np.testing.assert_array_max_ulp(model.predict(np.eye(len(labels))[:, 1:]), means, 2)  # the intercept is rounded, and the sum


@pytest.mark.parametrize("number", range(1, 10))
def test_the_rule_of_simon_and_lesage_has_the_certified_sums(number: int) -> None:
    certified, groups = (
        CERTIFIED["anova"][f"SmLs0{number}"],
        [[Fraction(v) for v, at in simon_and_lesage(number) if at == label] for label in range(1, 10)],
    )
    size = len(groups[0])
    means = [sum(values) / size for values in groups]
    within = sum((value - mean) ** 2 for values, mean in zip(groups, means, strict=True) for value in values)
    between = size * sum((mean - sum(means) / 9) ** 2 for mean in means)
    assert (9 * size, between, within) == (certified["n"], Fraction(Decimal(certified["between_ss"])), Fraction(Decimal(certified["within_ss"])))


def test_powers_formed_with_32_digits_go_through_filip() -> None:
    """A matrix of doubles has 7.6 digits left; the powers of the doubles nearest to the data have 14."""
    y, x = columns("Filip")
    model = LinearRegression(features=[poly("x", 10)]).fit({"x": x, "y": y}, "y")
    inference, certified = model.inference_, CERTIFIED["linear"]["Filip"]
    assert digits(inference.estimates[:, 0], certified["beta"]) >= 13.9
    assert digits(inference.standard_errors[:, 0], certified["beta_sd"]) >= 13
    assert digits(inference.residual_std, [certified["resid_sd"]]) >= 13.5
    assert digits(inference.r2, [certified["r2"]]) >= 14
    assert digits(f_statistic(model.equations_, model.exact_coef_, inference, 0), [certified["F"]]) >= 13.5
    on_an_array = LinearRegression(features=[poly("x0", 10)]).fit(x[:, None], y)
    assert on_an_array.coef_.tobytes() == model.coef_.tobytes()
    assert np.abs(on_an_array.predict(x[:, None]) - y).max() < 0.01


@pytest.mark.parametrize("name", sorted(CERTIFIED["univariate"]))
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
    assert digits(deviation, [certified["sd"]]) >= {"NumAcc2": 14, "NumAcc3": 9.4, "NumAcc4": 8.2, "Mavro": 13, "Michelso": 13.8}.get(name, 14.5)
