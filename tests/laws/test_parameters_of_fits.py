"""Every parameter of every estimator of least squares: what is none is refused by name before a row is read, and what is one fits."""

from __future__ import annotations

import inspect
from decimal import Decimal
from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np
import pytest
from sklearn.model_selection import GroupKFold, KFold, LeaveOneGroupOut, StratifiedKFold

import squarely as sq
from squarely import linear
from squarely.errors import DataError
from squarely.linear import GramEstimator, LassoCV, LinearRegression, Ridge, RidgeCV

RNG = np.random.default_rng(4)
X = RNG.normal(size=(60, 3))
Y = X @ [1.0, 2.0, 3.0] + RNG.normal(size=60)
GROUPS = np.arange(60) % 6
ESTIMATORS = [
    each for name in linear.__all__ if inspect.isclass(each := getattr(linear, name)) and hasattr(each, "fit") and each is not GramEstimator
]
PARAMETERS = [(kind, name) for kind in ESTIMATORS for name in kind().get_params()]

NOT_NUMBERS = [
    "a",
    b"a",
    object(),
    {},
    {"a": 1},
    1 + 2j,
    Decimal(1),
    [1.0, "a"],
    [[1.0], [1.0, 2.0]],
    np.array(["x"]),
    np.zeros((2, 2, 2)),
    max,
    Ridge,
]
NUMBERS = [-1, float("nan"), float("inf"), -float("inf"), 2**2000, -0.5]
NO = [True, np.True_]
NONE = [None]
ZERO = [0, 0.0]
HALVES = [2.5, Fraction(7, 2)]
SEVERAL = [[], [1.0, 2.0], np.array([0.5])]
PAIRS = [[], [1, 2], [(1, 2)], [([0], [1], [2])], [([0, 1], [60])], [([0, 1], [-1])], [(np.ones(60, bool), np.ones(60, bool))], np.zeros((2, 2, 2))]

REFUSED: dict[str, list[Any]] = {
    "features": [-1, 0, 2.5, float("nan"), True, 1 + 2j, object(), {}, {"x0": 1}, b"x0", [1], ["x0", 2.5], np.zeros(3), ["q"], "q", ["x0", "x0"]],
    "fit_intercept": [*NOT_NUMBERS, *NUMBERS, *ZERO, 1, "True", None, [True]],
    "nan_policy": [*NOT_NUMBERS, *NUMBERS, *ZERO, *NO, None, "propagate", ["omit"], np.array(["omit", "raise"])],
    "max_iter": [*NOT_NUMBERS, -1, 2**31, float("nan"), float("inf"), *NO, *NONE, *ZERO, *HALVES, *SEVERAL, 5.0],
    "n_starts": [*NOT_NUMBERS, -1, 2**31, float("nan"), float("inf"), *NO, *NONE, *ZERO, *HALVES, *SEVERAL],
    "tol": [*NOT_NUMBERS, *NUMBERS, *NO, *NONE, *SEVERAL],
    "eps": [*NOT_NUMBERS, *NUMBERS, *NO, *NONE, *ZERO, *HALVES, *SEVERAL, 1.0],
    "l1_ratio": [*NOT_NUMBERS, *NUMBERS, *NO, *NONE, *HALVES, [], [0.5, 2.0], [0.5, True]],
    "alpha": [*NOT_NUMBERS, *NUMBERS, *NO, *NONE, [], [1.0, 2.0], [[1.0]], [True]],
    "alphas": [*NOT_NUMBERS, *NUMBERS, *NO, *NONE, 0, [], [1.0, -1.0], [1.0, None], [float("nan")], "0.1"],
    "cv": [
        "a",
        b"a",
        object(),
        {},
        1 + 2j,
        True,
        1,
        0,
        -3,
        2.5,
        float("nan"),
        KFold,
        GroupKFold(3),
        LeaveOneGroupOut(),
        StratifiedKFold(3),
        61,
        *PAIRS,
    ],
    "quantile": [*NOT_NUMBERS, *NUMBERS, *NO, *NONE, *ZERO, *HALVES, *SEVERAL, 1],
    "expectile": [*NOT_NUMBERS, *NUMBERS, *NO, *NONE, *ZERO, *HALVES, *SEVERAL, 1],
    "vcov": [*NOT_NUMBERS, *NUMBERS, *NO, *NONE, *ZERO, "hc3", ["iid"], np.array(["iid", "robust"])],
    "coverage": [*NOT_NUMBERS, *NUMBERS, *NO, *ZERO, *HALVES, [0.75], 0.5, 1.01],
    "scale": [*NOT_NUMBERS, *NUMBERS, *NO, *NONE, *ZERO, *SEVERAL, "std", ["mad"]],
    "delta": [*NOT_NUMBERS, *NUMBERS, *NO, *NONE, *ZERO, *SEVERAL],
    "c": [*NOT_NUMBERS, *NUMBERS, *NO, *NONE, *ZERO, *SEVERAL],
    "df": [*NOT_NUMBERS, *NUMBERS, *NO, *NONE, *ZERO, *SEVERAL],
    "covariance": [*NOT_NUMBERS, *NUMBERS, *NO, *ZERO, *SEVERAL, "ar2", np.full(60, np.nan), np.full(60, 1j), np.full(60, "1"), np.full(60, None)],
    "rho": [*NOT_NUMBERS, *NUMBERS[:-1], *NO, *SEVERAL, 1, -1],
}
TAKEN: dict[str, list[Any]] = {
    "features": [None, "x0", ["x0"], ("x0", "x2"), linear.poly("x0", 2), [linear.poly("x0", 2), "x1"]],
    "fit_intercept": [True, False, np.True_, np.False_],
    "nan_policy": ["raise", "omit", np.str_("omit")],
    "max_iter": [1000, np.int32(1000)],
    "n_starts": [1, np.int64(3)],
    "tol": [1e-3, np.float32(1e-3), Fraction(1, 1000)],
    "eps": [0.5, np.float32(0.5)],
    "l1_ratio": [0.5, 1, np.float32(0.5), Fraction(1, 2)],
    "alpha": [0, 0.5, 3, np.float32(0.5), np.int8(2), Fraction(1, 2)],
    "alphas": [[0.5], (1, 2), np.array([0.1, 1.0]), [np.float32(1), Fraction(1, 2)]],
    "cv": [2, np.int8(3), KFold(4), list(KFold(3).split(X)), list(GroupKFold(3).split(X, Y, GROUPS))],
    "quantile": [0.25, np.float32(0.25), Fraction(1, 4)],
    "expectile": [0.25, np.float32(0.25), Fraction(1, 4)],
    "vcov": ["robust", "iid"],
    "coverage": [None, 0.75, 1, np.float32(0.75), Fraction(3, 4)],
    "scale": ["mad", 1, 0.5, np.float32(1), Fraction(1, 2)],
    "delta": [1, 0.5, np.float32(1)],
    "c": [4, 5.5, np.float32(5)],
    "df": [4, 5.5, np.float32(5)],
    "covariance": [None, "ar1", np.ones(60), [1.0] * 60, np.eye(60), np.ones(60, np.int8)],
    "rho": [None, 0, 0.5, np.float32(0.5), Fraction(1, 2)],
}


def made(kind: Any, name: str, value: Any) -> Any:
    other = {"covariance": "ar1"} if name == "rho" else {}
    return kind(**{**other, name: value})


def test_every_parameter_has_its_cases() -> None:
    assert {name for _, name in PARAMETERS} == set(REFUSED) == set(TAKEN)
    assert len(ESTIMATORS) > 15


@pytest.mark.filterwarnings("ignore::squarely.errors.NotConvergedWarning")
@pytest.mark.parametrize(("kind", "name"), PARAMETERS, ids=lambda each: each if isinstance(each, str) else each.__name__)
def test_what_is_no_parameter_is_refused_by_name(kind: Any, name: str) -> None:
    for value in REFUSED[name]:
        with pytest.raises(DataError) as refused:
            made(kind, name, value).fit(X, Y)
        told = str(refused.value)
        assert name in told or name in ("cv", "features"), f"{value!r}: {told}"
        assert any(word in told for word in ("expected", "Give", "Name", "takes")), f"{value!r}: {told}"


@pytest.mark.filterwarnings("ignore::squarely.errors.NotConvergedWarning")
@pytest.mark.parametrize(("kind", "name"), PARAMETERS, ids=lambda each: each if isinstance(each, str) else each.__name__)
def test_what_is_a_parameter_fits_and_stays_as_it_was_given(kind: Any, name: str) -> None:
    for value in TAKEN[name]:
        if kind is linear.RidgeCV and name == "alphas" and 0 in np.ravel(value):
            continue
        model = made(kind, name, value).fit(X, Y)
        assert model.get_params()[name] is value
        assert np.isfinite(model.predict(X)).all()


class Unread:
    """A frame that must not be read."""

    columns = ("a", "y")

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        raise AssertionError("rows were read before parameters were judged")


@pytest.mark.parametrize(
    "model", [Ridge(-1.0), LassoCV(eps=2.0), linear.HuberRegression(tol=None), linear.GeneralizedLeastSquares(rho="a", covariance="ar1")]
)
def test_parameters_are_judged_before_a_row_is_read(model: Any) -> None:
    with pytest.raises(DataError, match="expected"):
        model.fit(Unread(), "y")


def test_states_and_parts_are_judged_too() -> None:
    fitted = Ridge(1.0).fit(X, Y)
    for again in (
        lambda: Ridge.from_state(fitted.state_, alpha="a"),
        lambda: fitted.refitted(alpha=-1.0),
        lambda: Ridge(1.0).fit(X, Y).set_params(alpha=None).partial_fit(X, Y),
        lambda: RidgeCV.from_states([fitted.state_, fitted.state_], alphas=[-1.0]),
    ):
        with pytest.raises(DataError, match=r"alphas? is"):
            again()


def test_a_parameter_that_there_is_not_is_refused_by_name() -> None:
    with pytest.raises(DataError, match=r"Invalid parameter 'beta' for estimator Ridge\(alpha=2\). Valid parameters are: \['alpha'"):
        Ridge(2).fit(X, Y).refitted(beta=2.0)


@pytest.mark.parametrize("curve", [sq.learning_curve, partial(sq.validation_curve, parameter="alpha", values=[0.1, 1.0])])
def test_splitters_that_are_none_are_refused_with_the_cure(curve: Any) -> None:
    with pytest.raises(DataError, match="folds is the class GroupKFold; expected an object of it"):
        curve(Ridge(), X, Y, folds=GroupKFold)
    for splitter in (GroupKFold(3), LeaveOneGroupOut()):
        with pytest.raises(DataError, match=r"folds is .*, which does not split these rows: .*groups.* folds=list\(splitter.split\(X, y, groups\)\)"):
            curve(Ridge(), X, Y, folds=splitter)
    with pytest.raises(DataError, match="does not split these rows: Supported target types"):
        curve(Ridge(), X, Y, folds=StratifiedKFold(3))
    told = curve(Ridge(), X, Y, folds=list(GroupKFold(3).split(X, Y, GROUPS)))
    assert told is not None


@pytest.mark.parametrize("splitter", [GroupKFold(3), LeaveOneGroupOut()])
def test_splitters_of_groups_are_given_as_their_splits_to_fits(splitter: Any) -> None:
    with pytest.raises(DataError, match=r"cv=list\(splitter.split\(X, y, groups\)\)"):
        RidgeCV(cv=splitter).fit(X, Y)
    assert RidgeCV(cv=list(splitter.split(X, Y, GROUPS))).fit(X, Y).alpha_ in (0.1, 1.0, 10.0)


@pytest.mark.parametrize("kind", ESTIMATORS)
def test_features_that_are_set_after_a_fit_wait_for_the_next_one(kind: Any) -> None:
    model = kind(features=["x0", "x2"]).fit(X, Y)
    before = model.predict(X)
    for other in (["x2", "x0"], ["x0", "x1"], None, [linear.poly("x0", 2)], ["q"]):
        model.set_params(features=other)
        assert model.predict(X).tobytes() == before.tobytes()
    assert model.set_params(features=["x1"]).fit(X, Y).coef_.shape == (1,)


def test_a_list_of_features_that_changes_after_a_fit_changes_no_prediction() -> None:
    features = ["x0", "x2"]
    model = LinearRegression(features=features).fit(X, Y)
    before, errors = model.predict(X), model.robust(X, Y).standard_errors
    features.reverse()
    assert model.predict(X).tobytes() == before.tobytes()
    assert model.robust(X, Y).standard_errors.tobytes() == errors.tobytes()
    assert model.partial_fit(X, Y).state_.features == ("x0", "x2")
