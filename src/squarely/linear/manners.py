"""The manners of a scikit-learn estimator, without scikit-learn: parameters, tags, names of features."""

import inspect
import warnings
from collections.abc import Mapping
from os import PathLike
from typing import Any, ClassVar, Self

import numpy as np

from squarely.errors import DataError
from squarely.linear import scikit_learn
from squarely.linear.coding import Coding
from squarely.linear.opening import opened
from squarely.linear.parameters import SHARED, Rule
from squarely.validate import Design, dimensions

__all__ = ["ScikitManners"]


class ScikitManners:
    """Parameters are the arguments of ``__init__``, kept as they are given."""

    features: Any
    n_features_in_: int
    _features_of_fit: Any
    _by_name: bool = False  # whether the columns of the fit had names in its source or state, and those of frames are found by them
    _coding: Coding  # of the fit
    _rules: ClassVar[Mapping[str, Rule]] = SHARED  # of parameters, by their names

    @classmethod
    def _names(cls) -> list[str]:
        return sorted(name for name in inspect.signature(cls.__init__).parameters if name != "self")

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters by name."""
        return {name: getattr(self, name) for name in self._names()}

    def set_params(self, **parameters: Any) -> Self:
        """Set parameters and return the estimator."""
        for name, value in parameters.items():
            if name not in self._names():
                raise DataError(f"Invalid parameter {name!r} for estimator {self!r}. Valid parameters are: {self._names()!r}.")
            setattr(self, name, value)
        return self

    def _keep_features(self) -> None:
        """Keep what is asked for now: what becomes of the parameter later is for the next fit."""
        self._features_of_fit = list(self.features) if isinstance(self.features, list) else self.features

    def _check_parameters(self) -> None:
        """Refuse a parameter that is none, before a row is read."""
        for name, value in self.get_params().items():
            if name in self._rules:
                self._rules[name](name, value)

    def __repr__(self) -> str:
        defaults = inspect.signature(type(self).__init__).parameters
        changed = {name: value for name, value in self.get_params().items() if value is not defaults[name].default}
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in changed.items())})"

    def __sklearn_tags__(self) -> Any:
        return scikit_learn.tags()

    def _not_fitted(self) -> Exception:
        words = f"This {type(self).__name__} instance is not fitted yet. Call 'fit' with appropriate arguments before using this estimator."
        return scikit_learn.not_fitted_error()(words)

    def _open(self, X: Any, *, first: bool) -> Design:  # noqa: N803  # scikit-learn's name
        """Return the features that are asked for, categories as levels; the first rows decide what columns there are, and which are categories."""
        if isinstance(X, Mapping) and not hasattr(X, "tocsr"):  # SciPy has a sparse matrix that is a dict
            raise DataError(f"X is a {type(X).__name__} of columns; expected a frame or an array. Give pandas.DataFrame(X) or pyarrow.table(X).")
        if isinstance(X, str | PathLike):
            if not first:
                raise DataError(f"X is {str(X)[:60]!r}; expected rows in memory. Give a frame of its columns, such as pandas.read_parquet makes.")
            raise DataError(
                f"X is {str(X)[:60]!r}, and y is no name of a column. "
                "Write fit(data, 'y'), from_formula('y ~ x', data), or fit(X, y) of rows in memory."
            )
        if not hasattr(X, "columns") and dimensions(X) == 1:
            raise DataError(
                "Expected 2D array, got 1D array instead: it has one row or one feature. Reshape your data, "
                "with X.reshape(-1, 1) where it is one feature and X.reshape(1, -1) where it is one row."
            )
        if first:
            self._keep_features()
            self._by_name = False
        rows, made = opened(X, self._features_for(X), None if first else self._coding.schema.categories)
        if not rows.columns:
            raise DataError(f"Found array with 0 feature(s) (shape=({rows.rows}, 0)) while a minimum of 1 is required. Give a column or more.")
        if not rows.rows:
            raise DataError(f"Found array with 0 sample(s) (shape=(0, {rows.columns})) while a minimum of 1 is required. Give a row or more.")
        names = _all_text(X, rows)
        if first:
            self.n_features_in_ = rows.columns
            self.__dict__.pop("feature_names_in_", None)
            if names is not None:
                self.feature_names_in_ = np.array(names, object)
        elif not (self._by_name and names is not None):  # or what is asked for was found, whatever stands beside it
            self._compare(rows.columns, names)
        return made

    def _features_for(self, X: Any) -> Any:  # noqa: N803
        """Return the features that are made of rows: where the fit took every column of a source, those of these names."""
        if self._features_of_fit is None and self._by_name and hasattr(X, "columns"):
            return list(self.feature_names_in_) or None
        return self._features_of_fit

    def _name_inputs(self, columns: tuple[str, ...]) -> None:
        """Take the named columns of a source for the features."""
        self._keep_features()
        self._by_name = True
        self.n_features_in_, self.feature_names_in_ = len(columns), np.array(columns, object)

    def _compare(self, count: int, names: tuple[str, ...] | None) -> None:
        known = getattr(self, "feature_names_in_", None)
        title = type(self).__name__
        if not self.n_features_in_:  # the mean of a source: any rows have it
            return
        if known is not None and names is not None and list(known) != list(names):
            raise DataError(_renamed(list(known), list(names)))
        if count != self.n_features_in_:
            raise DataError(f"X has {count} features, but {title} is expecting {self.n_features_in_} features as input.")
        if known is not None and names is None:
            warnings.warn(f"X does not have valid feature names, but {title} was fitted with feature names", UserWarning, stacklevel=4)
        if known is None and names is not None:
            warnings.warn(f"X has feature names, but {title} was fitted without feature names", UserWarning, stacklevel=4)


def _all_text(data: Any, rows: Design) -> tuple[str, ...] | None:
    if rows.names is None or not hasattr(data, "columns"):
        return None
    given = list(data.column_names if hasattr(data, "column_names") else data.columns)
    kinds = {isinstance(name, str) for name in given}
    if kinds == {True, False}:
        raise TypeError("Feature names are only supported if all input features have string names. Convert them: X.columns = X.columns.astype(str).")
    return tuple(map(str, rows.names)) if kinds == {True} else None


def _renamed(known: list[str], names: list[str]) -> str:
    unseen, missing = sorted(set(names) - set(known)), sorted(set(known) - set(names))
    lines = ["The feature names should match those that were passed during fit."]
    for title, those in (("Feature names unseen at fit time:", unseen), ("Feature names seen at fit time, yet now missing:", missing)):
        if those:
            lines += [title, *(f"- {name}" for name in those[:5]), *(["- ..."] if len(those) > 5 else [])]
    if not unseen and not missing:
        lines.append("Feature names must be in the same order as they were in fit.")
    return "\n".join(lines) + "\n"
