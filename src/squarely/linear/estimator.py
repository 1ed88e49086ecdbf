"""What every estimator of this room does alike: rows become a state, and a state becomes coefficients."""

from typing import Any, ClassVar, Self

from squarely.errors import DataError, NoInferenceError
from squarely.linear.coding import Coding
from squarely.linear.equations import NormalEquations
from squarely.linear.formula import Formula
from squarely.linear.model import LinearModel, is_names, one_for_all
from squarely.linear.reading import Asked
from squarely.linear.terms import feature_slots, inputs_of, terms_of
from squarely.linear.whole import without_missing
from squarely.sources import open_source
from squarely.state import Dyadic, GramState
from squarely.validate import Design, dimensions, nothing_left

__all__ = ["GramEstimator"]


class GramEstimator(LinearModel):
    """An estimator whose coefficients are a function of a GramState; a subclass says which, in ``_solve``."""

    nan_policy: str = "raise"
    n_omitted_: int = 0
    _of_rows: ClassVar[tuple[str, ...]] = ("_flat", "_features_of_fit", "_by_name", "n_features_in_", "feature_names_in_", "n_omitted_")
    _of_any_size: ClassVar[bool] = False  # whether its coefficients are solved for in integers alone, where no square leaves its range
    _no_inference: ClassVar[str] = "its coefficients are drawn towards 0, and by how much they miss the true ones no standard error tells"

    def _solve(self, equations: NormalEquations) -> Dyadic:
        """Return the coefficients, p x t."""
        raise NotImplementedError

    @property
    def inference_(self) -> Any:
        """None: only unpenalised fits have standard errors, and an error says why."""
        raise NoInferenceError(
            f"{type(self).__name__} has no standard errors: {self._no_inference}. Fit LinearRegression, on other rows than those that chose features."
        )

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:  # noqa: N803  # scikit-learn's name
        """Fit to rows, and to nothing that was fitted before.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n, p), or a data frame
            Or anything that ``sq.evaluate`` reads, such as a path, where y names columns of it: it is read in constant memory.
        y : array-like of shape (n,) or (n, t), or names of columns
        sample_weight : array-like of shape (n,), or the name of a column; optional
            Finite and not negative; 0 leaves the row out.

        Returns
        -------
        the estimator
        """
        if y is None:
            raise DataError(f"{type(self).__name__} requires y to be passed, but the target y is None. Give one target for each row: fit(X, y).")
        self.n_omitted_ = 0
        if is_names(y):
            return self._settle(self._read(X, y, sample_weight, first=True))
        rows, targets, weight, self.n_omitted_ = self._given(X, y, sample_weight, first=True)
        self._flat = dimensions(y) == 1
        return self._settle(self._gather(GramState(), rows, targets, weight))

    def partial_fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:  # noqa: N803
        """Fit to these rows and to all before: the coefficients are those of one fit to all of them, bit for bit."""
        if not hasattr(self, "state_"):
            return self.fit(X, y, sample_weight)
        if is_names(y):
            return self._settle(self.state_ + self._read(X, y, sample_weight, first=False))
        rows, targets, weight, omitted = self._given(X, y, sample_weight, first=False)
        self.n_omitted_ += omitted
        return self._settle(self._gather(self.state_, rows, targets, weight))

    def _given(self, X: Any, y: Any, weight: Any, *, first: bool) -> tuple[Design, Any, Any, int]:  # noqa: N803
        """Return opened features, targets and weights, of rows that lack nothing where that is the policy, and how many were left out."""
        self._check_parameters()
        omitted = 0
        if self.nan_policy == "omit":
            features = self.features if first else self._features_for(X)
            X, y, weight, _, omitted = without_missing(X, y, weight, features, self._categories(first=first))  # noqa: N806
        rows = self._open(X, first=first)
        return rows, y, one_for_all(weight, rows.rows), omitted

    def _categories(self, *, first: bool) -> tuple[str, ...] | None:
        """Return the columns that the fit knows as categories; None before it."""
        return None if first else self._coding.schema.categories

    def _read(self, data: Any, target: Any, weight: Any, *, first: bool) -> GramState:
        asked = self._asked(data, target, weight, first=first)
        return self._counted(asked, asked.state())

    def _asked(self, data: Any, target: Any, weight: Any, *, first: bool) -> Asked:
        """Return what is read of a source; the first says what the columns are."""
        self._check_parameters()
        features = self.features if first else self._features_of_fit
        asked = Asked.of(data, target, features, weight, categories=self._categories(first=first), nan_policy=self.nan_policy)
        if first:
            self._flat = isinstance(target, str)
            self._name_inputs(asked.inputs)
        return asked

    def _counted(self, asked: Asked, state: GramState) -> GramState:
        """Return the state of all rows that were read, and count those that were left out."""
        if asked.omitted and not state.n:
            raise nothing_left(asked.omitted, asked.omitted, asked.source.name)
        self.n_omitted_ += asked.omitted
        return state

    def _gather(self, state: GramState, rows: Design, y: Any, weight: Any) -> GramState:
        """Return the state with these rows in it."""
        return state + GramState(state.schema.features, state.targets).add_design(rows, y, weight)

    def state_of(self, X: Any, y: Any) -> GramState:  # noqa: N803
        """Return the state of rows, with the features that are asked for: ``from_state`` makes a fit of it, or of a sum of several."""
        rows, targets, weight, _ = self._given(X, y, None, first=True)
        return GramState() + GramState().add_design(rows, targets, weight)

    @classmethod
    def from_state(cls, state: GramState, **parameters: Any) -> Self:
        """Return the estimator fitted to the rows of a state; it is what ``fit`` to these rows gives."""
        return cls(**parameters)._of_state(state)

    @classmethod
    def from_formula(cls, formula: str, data: Any, sample_weight: str | None = None, **parameters: Any) -> Self:
        """Return the estimator fitted to the terms of a formula, which are made batch by batch; formulaic reads it.

        ``+ - : * / ** 0 .`` and brackets are those of formulaic. ``C(c)`` is ``category``, ``poly(x, 2)`` is ``poly``, x and its square as
        they are. ``np.log(x)``, ``I(x / z)`` and ``{x - 3}`` are made row by row; what takes all rows, such as ``center(x)``, is refused.

        Parameters
        ----------
        formula : str
            Such as ``"y ~ x + C(colour) + poly(z, 2) + a:b"``, with one target or several.
        data : what ``sq.evaluate`` takes
        sample_weight : str, optional
            The name of a column.
        **parameters
            Those of the estimator.

        Returns
        -------
        the estimator

        Raises
        ------
        DataError
            The formula cannot be read, or has a part that is no such term.
        MissingExtraError
            formulaic is not installed.

        Examples
        --------
        >>> from squarely.linear import LinearRegression
        >>> data = {"y": [1.0, 2.0, 4.0, 9.0], "x": [0.0, 1.0, 2.0, 3.0], "c": ["u", "v", "u", "v"]}
        >>> LinearRegression.from_formula("y ~ poly(x, 2) + C(c)", data).equations_.features
        ('x', 'x^2', 'c[v]')
        """
        if not isinstance(formula, str):
            raise DataError(f"the formula is a {type(formula).__name__}; expected text. Write from_formula('y ~ x', data).")
        source = open_source(data)
        asked = Formula.parse(formula, source.columns)
        estimator = cls(**{"features": list(asked.terms), "fit_intercept": asked.intercept, **parameters})
        return estimator.fit(data, asked.targets[0] if len(asked.targets) == 1 else list(asked.targets), sample_weight)

    def merge(self, other: "GramEstimator") -> Self:
        """Return the estimator fitted to the rows of both."""
        if not isinstance(other, GramEstimator):
            raise DataError(
                f"other is of type {type(other).__name__}; expected a fitted {type(self).__name__}. A state is merged as from_state(a + b)."
            )
        merged = self._of_both(self._fitted(), other._fitted())
        merged._flat, merged.n_omitted_ = self._flat, self.n_omitted_ + other.n_omitted_
        merged.n_features_in_ = self.n_features_in_  # an array may have columns that no term reads
        return merged

    def _of_both(self, one: "GramEstimator", other: "GramEstimator") -> Self:
        return self.from_state(one.state_ + other.state_, **self.get_params())

    def _of_state(self, state: GramState) -> Self:
        self._check_parameters()
        if not isinstance(state, GramState):
            raise DataError(f"state is of type {type(state).__name__}; expected a GramState. GramState.from_bytes(data) reads saved ones.")
        schema = state.schema
        terms = terms_of(self.features, schema.features, schema.categories)
        if feature_slots(terms) != schema.features:
            has, asked = (tuple(str(getattr(each, "name", each)) for each in of) for of in (schema.features, feature_slots(terms)))
            raise DataError(f"the state has the features {has}, and {asked} are asked for. Ask for those it has, in their order.")
        columns = inputs_of(terms)
        self._flat = len(state.targets) == 1
        if columns != tuple(f"x{at}" for at in range(len(columns))):
            self._name_inputs(columns)
        else:  # the names of columns that had none
            self._keep_features()
            self.n_features_in_ = len(columns)
        return self._settle(state)

    def refitted(self, **parameters: Any) -> Self:
        """Return the estimator with other parameters, fitted to the same rows: what is known of their moments is not found again."""
        other = type(self)(**self.get_params()).set_params(**parameters)
        other._check_parameters()
        for name in self._of_rows:
            if hasattr(self, name):
                setattr(other, name, getattr(self, name))
        return other._settle(self.state_, self.equations_)

    def _settle(self, state: GramState, known: NormalEquations | None = None) -> Self:
        self.state_, intercept = state, bool(self.fit_intercept)
        self._coding = Coding(state.schema, intercept)
        self.equations_ = known if known is not None and known.intercept == intercept else NormalEquations.of(state, intercept=intercept)
        if not self._of_any_size:
            self.equations_.refuse_extremes((*self.equations_.features, *self.equations_.targets))
        self.exact_coef_ = self._solve(self.equations_)
        coefficients, intercepts = self.exact_coef_.nearest().T, self.equations_.intercepts_of(self.exact_coef_)
        self.coef_ = coefficients[0] if self._flat else coefficients
        self.intercept_: Any = (float(intercepts[0]) if self._flat else intercepts) if self.fit_intercept else 0.0
        return self
