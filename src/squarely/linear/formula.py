"""Formulas: what formulaic reads becomes terms of squarely, so that files stream; the only module that imports formulaic."""

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from squarely.errors import DataError, MissingExtraError
from squarely.linear.computed import Computed, parsed
from squarely.linear.terms import Itself, Term, category, poly, product

__all__ = ["Formula"]

_HIGHEST_POWER = 64
_BY_NUMBERS = "Write numbers that you know in their place, as I((x - 3) / 2)."
_BY_POWERS = "Write poly(x, degree), whose powers are taken as they are: predictions are those of poly(x, degree, raw=False)."
_BY_TREATMENT = "Write C(column) or C(column, Treatment(level)): predictions are the same."
_BY_COLUMNS = "Make columns of it before."
_OF_ALL_ROWS = {
    "center": _BY_NUMBERS, "standardize": _BY_NUMBERS, "scale": _BY_NUMBERS, "poly": _BY_POWERS,
    "bs": _BY_COLUMNS, "cs": _BY_COLUMNS, "cr": _BY_COLUMNS, "cc": _BY_COLUMNS, "lag": _BY_COLUMNS,
}  # fmt: skip


@dataclass(frozen=True)
class Formula:
    """Targets, terms and whether there is an intercept."""

    targets: tuple[str, ...]
    terms: tuple[Any, ...]
    intercept: bool

    @classmethod
    def parse(cls, text: str, columns: Sequence[str]) -> "Formula":
        """Read a formula; ``columns`` are those that a dot stands for."""
        try:
            from formulaic import Formula as Parsed
            from formulaic.errors import FormulaicError
        except ImportError as error:
            raise MissingExtraError('a formula needs formulaic. Install it: pip install "squarely[formula]".') from error
        try:
            parsed = Parsed(text, _context={"__formulaic_variables_available__": list(columns)})
            left, right = (list(getattr(parsed, side, ())) for side in ("lhs", "rhs"))
            factors = [[(factor.eval_method.value, factor.expr) for factor in term.factors] for term in (*left, *right)]
        except (FormulaicError, AttributeError, SyntaxError, RecursionError) as error:
            raise DataError(f"{text[:200]!r} is no formula of one model: {str(error).splitlines()[0]} Write it as 'y ~ a + C(b)'.") from error
        targets = [_only_column(each) for each in factors[: len(left)]]
        if not targets:
            raise DataError(f"the formula {text!r} has no target. Write it as 'y ~ a + b'.")
        constant = [("literal", "1")]
        features = tuple(_term(each) for each in factors[len(left) :] if each != constant)
        return cls(tuple(targets), features, constant in factors[len(left) :])


def _only_column(factors: list[tuple[str, str]]) -> str:
    if len(factors) != 1 or factors[0][0] != "lookup":
        told = ":".join(expression for _, expression in factors)
        raise DataError(f"the target {told!r} of the formula is no column. Make a column of it before, and name that.")
    return factors[0][1]


def _term(factors: list[tuple[str, str]]) -> str | Term:
    """Return a term of the product of factors."""
    terms = [_factor(*factor) for factor in factors]
    many = next((expression for term, (_, expression) in zip(terms, factors, strict=True) if len(term.names) > 1), None)
    if many is not None and len(terms) > 1:
        raise DataError(f"{many!r} of the formula cannot be multiplied with other columns. Multiply each of its powers, as I(x**2):z.")
    found = product(terms)
    return found.column if isinstance(found, Itself) else found


def _factor(method: str, expression: str) -> Term:
    """Return a column, a product of columns, a category, a polynomial, or what is computed of columns."""
    if method == "lookup":
        return Itself(expression)
    if method != "python":
        raise DataError(f"{expression!r} of the formula is no term: a number multiplies every column alike. Leave it out.")
    tree = parsed(expression)
    found = _call(tree) if isinstance(tree, ast.Call) else _product(tree)
    return Computed.of(expression) if found is None else found


def _call(tree: ast.Call) -> Term | None:
    """Return the term of a call that has a meaning of its own in formulas; None of other code."""
    name, given = ast.unparse(tree.func), {word.arg: word.value for word in tree.keywords}
    if name == "I" and len(tree.args) == 1 and not given:
        return _product(tree.args[0])
    if name == "Q" and len(tree.args) == 1 and isinstance(_constant(tree.args[0]), str):
        return Itself(_constant(tree.args[0]))
    if name in _OF_ALL_ROWS and not (name == "poly" and _constant(given.get("raw", ast.Constant(True))) is True):
        raise DataError(f"{ast.unparse(tree)!r} of the formula is made of all rows, and rows are read once. {_OF_ALL_ROWS[name]}")
    if not tree.args or not isinstance(tree.args[0], ast.Name):
        return None
    column, rest = tree.args[0].id, tree.args[1:]
    if name == "poly":
        given.pop("raw", None)
        degree = [*rest, *([given.pop("degree")] if "degree" in given else [])]
        whole = len(degree) == 1 and isinstance(degree[0], ast.Constant) and not given
        return poly(column, _constant(degree[0])) if whole else None
    if name == "C":
        reference = None if len(rest) > 1 or given else _reference(rest[0]) if rest else ()
        if reference is None:
            raise DataError(f"{ast.unparse(tree)!r} of the formula has contrasts other than of treatments. {_BY_TREATMENT}")
        return category(column, reference=reference[0] if reference else None)
    return None


def _reference(tree: ast.expr) -> tuple[Any, ...] | None:
    """Return the level that a contrast of treatments compares with; empty where none is named, None for other contrasts."""
    called = ast.unparse(tree.func if isinstance(tree, ast.Call) else tree)
    if called not in ("Treatment", "contr.treatment"):
        return None
    if not isinstance(tree, ast.Call):
        return ()
    levels = [*tree.args, *(word.value for word in tree.keywords if word.arg in ("reference", "base"))]
    if len(levels) != len(tree.args) + len(tree.keywords) or len(levels) > 1:
        return None
    return tuple(_constant(level) for level in levels)


def _product(tree: ast.expr) -> Term | None:
    """Return a product of columns and their whole powers; None of anything else."""
    columns = _columns(tree)
    return product(map(Itself, columns)) if columns else None


def _columns(tree: ast.expr) -> tuple[str, ...]:
    """Return the columns that are multiplied; none where something else is done."""
    if isinstance(tree, ast.Name):
        return (tree.id,)
    if not isinstance(tree, ast.BinOp):
        return ()
    left = _columns(tree.left)
    if isinstance(tree.op, ast.Pow):
        power = _constant(tree.right)
        return left * power if type(power) is int and 0 < power <= _HIGHEST_POWER else ()
    right = _columns(tree.right)
    return (*left, *right) if isinstance(tree.op, ast.Mult) and left and right else ()


def _constant(tree: ast.expr) -> Any:
    try:
        return ast.literal_eval(tree)
    except ValueError:
        return None
