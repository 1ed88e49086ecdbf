"""GramState: the exact second moments of columns, from which least squares are solved."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from squarely.errors import DataError, StateError
from squarely.state import codec
from squarely.state.digits import Doubles
from squarely.state.dyadic import Dyadic
from squarely.state.gram_bytes import body_of, parsed
from squarely.state.grouped import GroupedProducts
from squarely.state.products import Parts, blocks_of
from squarely.state.schema import Feature, Grouping, Schema
from squarely.state.sparse import SparseProducts
from squarely.validate import Category, Coded, Design, Level, blocks, column, design

__all__ = ["GramState", "deal", "row_weights"]

Names = tuple[str, ...]
_NO_LEVELS: Mapping[str, Coded] = {}


class GramState:
    r"""The exact moments of features and targets with weight w; states add and subtract without rounding.

    .. math:: G = \sum w\,z z^\top, \qquad z = (1, x_1, \dots, x_p, y_1, \dots, y_t)

    The same rows give the same bytes in any order, in any number of parts, on any processor. Least squares, their standard errors,
    R2, ridge and lasso paths are functions of G, so they can be had for merged, subtracted or saved states without a second look at the data.

    Do not use it for thousands of columns, where G is larger than the data, or where each row must be known again. Its unit is that of the
    products.

    Parameters
    ----------
    features, targets : sequence of str, optional
        Names of the columns; without them the first rows decide.

    Raises
    ------
    DataError
        From ``of`` and ``update``: shapes differ, a value is missing or infinite, or a weight is negative.
    StateError
        From ``+`` and ``-``: the columns differ. From ``from_bytes``: the bytes are not those of a state.

    References
    ----------
    Ozaki, K., Ogita, T., Oishi, S., Rump, S. M. (2012), Error-free transformations of matrix multiplication by using fast routines of matrix
    multiplication and its applications, Numerical Algorithms 59. Here the parts of products are added as integers, so that the sum is exact too.

    Examples
    --------
    >>> monday = GramState.of([[1.0], [2.0]], [3.0, 5.0])
    >>> tuesday = GramState.of([[4.0]], [9.0])
    >>> (monday + tuesday) - tuesday == monday
    True
    >>> monday.n, monday.features, monday.targets
    (2, ('x0',), ('y',))
    """

    __slots__ = ("_held", "_products", "_rows", "_settled")

    def __init__(self, features: Sequence[Feature] = (), targets: Sequence[str] = ()) -> None:
        self._held = Schema(tuple(features), tuple(targets))  # with the levels of the moments that are settled
        self._rows = 0
        self._settled: Dyadic | None = None  # moments that no longer wait for rows
        self._products: GroupedProducts | None = None  # those of the rows since

    @classmethod
    def of(cls, X: Any, y: Any, sample_weight: Any = None) -> "GramState":  # noqa: N803  # scikit-learn's name
        """Return the state of arrays or frames.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n, p)
        y : array-like of shape (n,) or (n, t)
        sample_weight : array-like of shape (n,), optional
            Finite and not negative; 0 leaves no trace.

        Returns
        -------
        GramState
        """
        return cls().update(X, y, sample_weight)

    def update(self, X: Any, y: Any, sample_weight: Any = None) -> "GramState":  # noqa: N803
        """Add rows to this state and return it; the arguments and errors are those of ``of``."""
        return self.add_design(design(X, "X"), y, sample_weight)

    def add_design(self, features: Design, y: Any, sample_weight: Any = None) -> "GramState":
        """Add rows of features that have been opened."""
        deal((self,), features, y, sample_weight)
        return self

    def take(self, other: "GramState") -> None:
        """Add the rows of another state of the same columns to this one."""
        whole = self + other
        self._rows, self._held, self._settled, self._products = whole._rows, whole._held, whole._settled, None

    def expect(self, features: Sequence[Feature], targets: Sequence[Feature]) -> None:
        """Take the names of the columns, or refuse those that differ from the names this state has."""
        given, held = Schema(tuple(features), tuple(map(str, targets))), self._held
        if not held.features and not held.targets:
            self._held = given
        elif (given.features, given.targets) != (held.features, held.targets):
            raise DataError(_differing(given, held) + " Give the same columns in the same order.")

    def add_columns(self, columns: Sequence[Parts], weight: Doubles | None, coded: Mapping[str, Coded] = _NO_LEVELS) -> None:
        """Add rows of finite numbers: features, then targets, each one array or several that add up to it; and levels of categories."""
        if weight is not None and not weight.all():
            there = weight != 0
            columns, weight = [tuple(part[there] for part in parts) for parts in columns], weight[there]
            coded = {name: levels.rows(there) for name, levels in coded.items()}
        rows = len(columns[0][0])
        if not rows:
            return
        if self._products is None:
            self._products = GroupedProducts(self._held)
        self._products.add(columns, weight, coded)
        self._rows += rows

    @property
    def n(self) -> int:
        """Rows of a weight above 0."""
        return self._rows

    @property
    def schema(self) -> Schema:
        """What the columns of the moments are: features, the levels of those that are categories, and targets."""
        return self._held if self._products is None else self._held.joined(self._products.levels)

    @property
    def features(self) -> Names:
        """Names of the features; a category has one for each of its levels."""
        return self.schema.names

    @property
    def targets(self) -> Names:
        """Names of the targets."""
        return self._held.targets

    @property
    def moments(self) -> Dyadic:
        """The matrix G: of 1, the features and the targets, exactly."""
        schema = self.schema
        found = Dyadic.zeros(schema.size, schema.size) if self._settled is None else schema.spread(self._settled, self._held)
        return found if self._products is None else found + self._products.total(schema)

    def having(self, levels: Mapping[Grouping, tuple[Level, ...]]) -> "GramState":
        """Return the state with these levels beside its own: columns of 0 where it has no row of them."""
        found = GramState()
        found._rows, found._held = self._rows, self.schema.joined(levels)
        found._settled = found._held.spread(self.moments, self.schema)
        return found

    @property
    def weight_sum(self) -> float:
        """Sum of the weights; ``n`` where no weights were given."""
        return float(self.moments.block([0]).nearest()[0, 0])

    def __add__(self, other: "GramState") -> "GramState":
        return self._combined(other, Dyadic.__add__, 1) if isinstance(other, GramState) else NotImplemented

    def __sub__(self, other: "GramState") -> "GramState":
        return self._combined(other, Dyadic.__sub__, -1) if isinstance(other, GramState) else NotImplemented

    def __radd__(self, other: object) -> "GramState":
        return self + GramState() if other == 0 else NotImplemented  # sum() begins with 0

    def __neg__(self) -> "GramState":
        return GramState() - self

    def _combined(self, other: "GramState", combine: Callable[[Dyadic, Dyadic], Dyadic], sign: int) -> "GramState":
        mine, others = self.schema, other.schema
        known = [schema for schema in (mine, others) if schema.features or schema.targets]
        if len(known) == 2 and (mine.features, mine.targets) != (others.features, others.targets):
            raise StateError(_differing(others, mine) + " States of the same columns in the same order add.")
        schema = known[0].joined(known[-1].levels) if known else mine
        zeros = Dyadic.zeros(schema.size, schema.size)
        both = (schema.spread(state.moments, of) if of in known else zeros for state, of in ((self, mine), (other, others)))
        found = GramState()
        found._rows = self._rows + sign * other._rows
        found._held, found._settled = schema.without_empty(combine(*both))
        return found

    def __eq__(self, other: object) -> bool:
        return isinstance(other, GramState) and self._body() == other._body()

    __hash__ = None  # type: ignore[assignment]  # a state changes with update()

    def _body(self) -> bytes:
        return body_of(self._rows, self.schema, self.moments)

    def digest(self) -> str:
        """Return the SHA-256 of names, rows and moments, in hexadecimal."""
        return codec.sha256(self._body()).hexdigest()

    def to_bytes(self) -> bytes:
        """Return the whole state, with version and checksum."""
        return codec.wrap(codec.GRAM, self._body())

    @classmethod
    def from_bytes(cls, data: bytes) -> "GramState":
        """Read what ``to_bytes`` wrote; raise StateError on anything else."""
        state = cls()
        state._rows, state._held, state._settled = parsed(codec.unwrap(codec.GRAM, data))
        return state

    def __reduce__(self) -> tuple[Any, ...]:
        return GramState.from_bytes, (self.to_bytes(),)

    def __repr__(self) -> str:
        return f"GramState(n={self._rows}, features={len(self.features)}, targets={len(self.targets)}, digest={self.digest()[:12]!r})"


def deal(states: Sequence[GramState], features: Design, y: Any, sample_weight: Any = None, places: Any = None) -> None:
    """Add each row to the state at its place, one pass for all; without places all rows go to the first. Refused rows leave no trace of others."""
    targets = design(y, "y")
    if features.rows != targets.rows:
        raise DataError(f"X has {features.rows} rows and y {targets.rows}; expected one target per row. Nothing is repeated to fit.")
    weight = None if sample_weight is None else row_weights(sample_weight, features.rows)
    for state in states:
        state.expect(
            features.names or _numbered("x", features.columns, state.features),
            targets.names or _target_names(targets.columns, state.targets),
        )
    parts = [GramState(state.schema.features, state.targets) for state in states]
    for rows in blocks(features.rows, features.columns) if features.sparse is None else ():
        columns = [*features.read(rows), *targets.read(rows)]
        here = np.zeros(len(columns[0][0]), np.intp) if places is None else places[rows]
        for at in np.unique(here).tolist():
            there = slice(None) if (here == at).all() else here == at
            coded = {name: levels.rows(rows).rows(there) for name, levels in features.coded.items()}
            parts[at].add_columns([tuple(part[there] for part in of) for of in columns], None if weight is None else weight[rows][there], coded)
    if features.sparse is not None:
        _deal_sparse(parts, features, targets, weight, places)
    for state, part in zip(states, parts, strict=True):
        state.take(part)


def _deal_sparse(parts: Sequence[GramState], features: Design, targets: Design, weight: Doubles | None, places: Any) -> None:
    """Add rows of compressed features to empty states."""
    assert features.sparse is not None
    products = [SparseProducts(features.columns, targets.columns, weighted=weight is not None) for _ in parts]
    for rows in blocks_of(features.rows):
        compressed, columns = features.sparse(rows), targets.read(rows)
        counts = np.ones(rows.stop - rows.start, np.bool_) if weight is None else weight[rows] != 0
        for at, each in enumerate(products):
            there = np.flatnonzero(counts if places is None else counts & (places[rows] == at))
            if len(there):
                each.add(compressed[there], [tuple(part[there] for part in of) for of in columns], None if weight is None else weight[rows][there])
    for part, each in zip(parts, products, strict=True):
        if each.rows:
            part._rows, part._settled = each.rows, each.total()


def _numbered(letter: str, count: int, known: Names) -> Names:
    """Return the known names of columns that have none of their own, where they are as many; otherwise numbers."""
    return known if len(known) == count else tuple(f"{letter}{at}" for at in range(count))


def _target_names(count: int, known: Names) -> Names:
    return ("y",) if count == 1 and not known else _numbered("y", count, known)


def _differing(given: Schema, expected: Schema) -> str:
    for kind, new, old in (("features", given.features, expected.features), ("targets", given.targets, expected.targets)):
        if len(new) != len(old):
            return f"there are {len(new)} {kind} where {len(old)} were expected."
        for at, (name, known) in enumerate(zip(new, old, strict=True)):
            if name != known:
                return f"number {at} of the {kind} is {_told(name)} where {_told(known)} was expected."
    return "the columns are the same."


def _told(feature: Feature) -> str:
    if not isinstance(feature, Category):
        return repr(feature[:60])
    references = " and ".join(repr(level[:60]) for level in feature.references if level is not None)
    return f"the category {feature.name[:60]!r}{' with the reference ' if references else ''}{references}"


def row_weights(weight: Any, rows: int) -> Doubles:
    """Return weights as doubles, finite and not negative, one for each row."""
    values, missing = column(weight, "sample_weight")
    found = values.astype(np.float64)
    if len(found) != rows:
        raise DataError(f"sample_weight has {len(found)} rows and X {rows}; expected one weight per row.")
    bad = ~(np.isfinite(found) & (found >= 0)) if missing is None else missing
    if bad.any():
        at = int(np.flatnonzero(bad)[0])
        raise DataError(f"sample_weight at index {at:,} is {values[at]}; expected a finite weight of at least 0. Mend it, or set it to 0.")
    return found
