"""Formulas: what formulaic reads becomes terms of squarely, so that files stream; the only module that imports formulaic."""

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from squarely.errors import DataError, MissingExtraError
from squarely.linear.terms import Indicators, Term, category, interaction, monomial, poly

__all__ = ["Formula"]

_CURE = (
    "Expected columns, C(column), C(column, Treatment(level)), poly(column, degree), I() or {} of products and whole powers of columns, "
    "and products of these with ':' or '*'. Make a column of anything else before."
)


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
        except (FormulaicError, AttributeError, SyntaxError) as error:
            raise DataError(f"{text!r} is no formula of one model: {str(error).splitlines()[0]} Write it as 'y ~ a + C(b)'.") from error
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
    pieces = [_factor(*factor) for factor in factors]
    if len(pieces) == 1:
        alone = pieces[0]
        return alone if isinstance(alone, str | Indicators) or hasattr(alone, "features") else monomial(*alone)
    parts: list[str | Indicators] = []
    for piece, (_, expression) in zip(pieces, factors, strict=True):
        if isinstance(piece, tuple):
            parts += piece
        elif isinstance(piece, str | Indicators):
            parts.append(piece)
        else:
            raise DataError(f"{expression!r} of the formula cannot be multiplied with other columns. {_CURE}")
    return interaction(*parts)


def _factor(method: str, expression: str) -> Any:
    """Return a column, a tuple of columns to be multiplied, a category, or a polynomial."""
    if method == "lookup":
        return expression
    found = _parsed(expression) if method == "python" else None
    if found is not None:
        return found
    raise DataError(f"{expression!r} of the formula is no term that can be made batch by batch. {_CURE}")


def _parsed(expression: str) -> Any:
    try:
        tree = ast.parse(expression.strip(), mode="eval").body
    except SyntaxError:
        return None
    return _call(tree) if isinstance(tree, ast.Call) else _product(tree)


def _call(tree: ast.Call) -> Any:
    name, given = ast.unparse(tree.func), {word.arg: word.value for word in tree.keywords}
    if name == "I" and len(tree.args) == 1 and not given:
        return _product(tree.args[0])
    if not tree.args or not isinstance(tree.args[0], ast.Name):
        return None
    column, rest = tree.args[0].id, tree.args[1:]
    if name == "poly":
        raw = given.pop("raw", ast.Constant(True))
        degree = [*rest, *([given.pop("degree")] if "degree" in given else [])]
        whole = len(degree) == 1 and isinstance(degree[0], ast.Constant) and not given
        return poly(column, _constant(degree[0])) if whole and _constant(raw) is True else None
    if name == "C" and len(rest) <= 1 and not given:
        reference = _reference(rest[0]) if rest else ()
        return None if reference is None else category(column, reference=reference[0] if reference else None)
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


def _product(tree: ast.expr) -> tuple[str, ...] | None:
    """Return the columns of a product of columns and their whole powers."""
    if isinstance(tree, ast.Name):
        return (tree.id,)
    if not isinstance(tree, ast.BinOp):
        return None
    left = _product(tree.left)
    if isinstance(tree.op, ast.Pow):
        power = _constant(tree.right)
        return left * power if left and type(power) is int and power > 0 else None
    right = _product(tree.right)
    return (*left, *right) if isinstance(tree.op, ast.Mult) and left and right else None


def _constant(tree: ast.expr) -> Any:
    try:
        return ast.literal_eval(tree)
    except ValueError:
        return None
