"""Tail probabilities agree with SciPy to eight digits, far out and for as many degrees of freedom as there are rows."""

from __future__ import annotations

import math

import mpmath
import pytest
from scipy import stats

from squarely.diagnose.laws import chi2_tail, f_tail, normal_quantile, normal_tail
from squarely.intervals.saddle import gamma_term
from squarely.intervals.student import beta_tail, tails

DEGREES = (1, 2, 3, 5, 10, 63, 442, 1e4, 1e6, 1e9)
TAILS = (0.999, 0.9, 0.5, 0.1, 1e-3, 1e-8, 1e-20, 1e-80, 1e-250)
CLOSE = 1e-8


def same(found: float, expected: float) -> bool:
    return found == pytest.approx(float(expected), rel=CLOSE, abs=0)


@pytest.mark.parametrize("above", DEGREES)
@pytest.mark.parametrize("below", DEGREES)
def test_f(above: float, below: float) -> None:
    for tail in TAILS:
        f = float(stats.f.isf(tail, above, below))
        expected = float(stats.f.sf(f, above, below))
        if 0 < f < math.inf and expected > 0:
            if expected != pytest.approx(tail, rel=1e-9, abs=0) and (above, below) == (10, 1e9):
                expected = by_hand(f, above, below)  # SciPy is off by 2e-8 there
            assert same(f_tail(f, above, below), expected), (tail, f)


@pytest.mark.parametrize("freedom", [0.5, *DEGREES])
def test_chi_squared(freedom: float) -> None:
    for tail in TAILS:
        x = float(stats.chi2.isf(tail, freedom))
        assert same(chi2_tail(x, freedom), stats.chi2.sf(x, freedom)), (tail, x)


@pytest.mark.parametrize("freedom", [0.5, *DEGREES])
def test_t_and_normal(freedom: float) -> None:
    for t in (1e-6, 0.1, 1.0, 1.96, 6.0, 20.0, 36.0):
        assert same(tails(t, freedom), 2 * stats.t.sf(t, freedom)), t
        assert tails(-t, freedom) == tails(t, freedom)
        assert same(normal_tail(t), 2 * stats.norm.sf(t))
    for confidence in (0.1, 0.5, 0.8, 0.95, 0.999):
        assert same(normal_quantile(confidence), stats.norm.ppf((1 + confidence) / 2))


def by_hand(f: float, above: float, below: float) -> float:
    """The integral of the density of F, in 40 digits."""
    mpmath.mp.dps = 40
    m, v = mpmath.mpf(above) / 2, mpmath.mpf(below) / 2
    front = mpmath.loggamma(m + v) - mpmath.loggamma(m) - mpmath.loggamma(v) + m * mpmath.log(m / v)

    def density(x: mpmath.mpf) -> mpmath.mpf:
        return mpmath.exp(front + (m - 1) * mpmath.log(x) - (m + v) * mpmath.log1p(x * m / v))

    width = 1 / m
    ends = [f + width * step for step in (0, 1, 2, 4, 8, 16, 32, 64, 128, 256)]
    return float(mpmath.quad(density, ends))


@pytest.mark.parametrize("above", [1, 2, 3, 10, 63])
@pytest.mark.parametrize("tail", [0.5, 0.1, 1e-3, 1e-20])
def test_f_of_a_billion_degrees(above: int, tail: float) -> None:
    f = float(stats.chi2.isf(tail, above)) / above
    assert f_tail(f, above, 1e9) == pytest.approx(by_hand(f, above, 1e9), rel=1e-10, abs=0)


@pytest.mark.parametrize(("a", "b"), [(0.5, 0.5), (2.0, 3.0), (40.0, 0.5), (0.5, 400.0), (300.0, 200.0)])
def test_beta_is_the_integral(a: float, b: float) -> None:
    mpmath.mp.dps = 40
    for x in (1e-300, 1e-30, 1e-3, 0.1, 0.5, 0.9, 0.999, 1 - 2**-40):
        expected = mpmath.betainc(a, b, 0, mpmath.mpf(x), regularized=True)
        if expected > 1e-300:
            assert beta_tail(x, 1 - x, a, b) == pytest.approx(float(expected), rel=1e-11, abs=0), x


@pytest.mark.parametrize("a", [0.5, 3.0, 15.9, 16.0, 17.0, 40.0, 1e6])
def test_the_gamma_term_is_its_formula(a: float) -> None:
    mpmath.mp.dps = 40
    for x in (a / 3, a, a + math.sqrt(a), 1.2 * a):
        expected = mpmath.exp(mpmath.mpf(a) * mpmath.log(x) - mpmath.mpf(x) - mpmath.loggamma(a))
        if expected > 1e-300:
            assert gamma_term(x, a) == pytest.approx(float(expected), rel=1e-13 if a < 100 else 1e-10, abs=0), x


def test_ends() -> None:
    assert (tails(math.inf, 5), tails(-math.inf, 1)) == (0.0, 0.0)
    assert same(tails(1e150, 1), 2e-150 / math.pi)
    assert f_tail(1e-320, 2, 3) == 1.0
    assert f_tail(1e300, 1e9, 1) == pytest.approx(float(stats.f.sf(1e300, 1e9, 1)), rel=1e-6)
    assert (f_tail(0.0, 2, 3), f_tail(-1.0, 2, 3), f_tail(math.inf, 2, 3)) == (1.0, 1.0, 0.0)
    assert (chi2_tail(0.0, 2), chi2_tail(-1.0, 2), chi2_tail(math.inf, 2)) == (1.0, 1.0, 0.0)
    assert (tails(0.0, 5), beta_tail(0.0, 1.0, 2, 3), beta_tail(1.0, 0.0, 2, 3)) == (1.0, 0.0, 1.0)
    assert all(
        math.isnan(each)
        for each in (
            f_tail(math.nan, 2, 3),
            f_tail(1.0, 0, 3),
            chi2_tail(math.nan, 1),
            chi2_tail(1.0, 0),
            tails(1.0, 0),
            beta_tail(math.nan, 0.5, 2, 3),
        )
    )
