"""Computed: features that Python code makes of numbers row by row, as formulas write them, such as np.log(x) and I(x / z)."""

import ast
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, reduce
from typing import Any

import numpy as np

from squarely.errors import DataError
from squarely.linear.doubled import Doubled, Doubles
from squarely.linear.terms import Parts, doubled

__all__ = ["Computed", "parsed"]

Code = Callable[[Mapping[str, Doubled]], Doubled]
_OPERATORS = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv}
_SHORT = {"log": np.log, "log2": np.log2, "log10": np.log10, "exp": np.exp, "exp2": np.exp2}  # which formulaic knows without np.
_MOST_FACTORS = 64
_MOST_NODES = 500  # what is read one inside the other is bounded
_QUOTED = re.compile(r"`([^`]*)`")
_CURE = (
    "Expected + - * / **, numbers, columns and functions of NumPy that take each row by itself, such as np.log and np.sqrt. "
    "Make a column of anything else before."
)


@dataclass(frozen=True)
class Computed:
    """A feature that an expression of columns makes: sums, products and quotients have 32 digits, functions those of NumPy."""

    expression: str

    @classmethod
    def of(cls, expression: str) -> "Computed":
        """Return the feature, or refuse an expression that does not take each row by itself."""
        columns, _ = _read(expression)
        if not columns:
            raise DataError(f"{expression!r} of the formula has no column, so it is the same in each row. Name a column in it.")
        return cls(expression)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns it reads."""
        return _read(self.expression)[0]

    @property
    def names(self) -> tuple[str, ...]:
        """The expression."""
        return (self.expression,)

    def features(self, columns: Sequence[Parts]) -> list[Parts]:
        """Return the values; one that is no number is refused."""
        names, code = _read(self.expression)
        found = code({name: doubled(parts) for name, parts in zip(names, columns, strict=True)})
        rows = np.flatnonzero(~np.isfinite(found.high))
        if rows.size:
            there = " and ".join(f"{name} is {parts[0][rows[0]]}" for name, parts in zip(names, columns, strict=True))
            raise DataError(
                f"the feature {self.expression!r} is {found.high[rows[0]]} where {there}, and in {rows.size:,} rows here it is no finite number. "
                "Leave such rows out, or write an expression that is a number for them."
            )
        return [(found.high, found.low) if found.low.any() else (found.high,)]


@cache
def _read(expression: str) -> tuple[tuple[str, ...], Code]:
    """Return the columns of an expression, and code that makes values of them."""
    reader = _Reader(expression, [])
    code = reader.code(parsed(expression))
    return tuple(dict.fromkeys(reader.columns)), code


def parsed(expression: str) -> ast.expr:
    """Return the tree of an expression, in which names may stand in backquotes, as formulas have those that are no names of Python."""
    quoted = {f"_quoted_{at}": name for at, name in enumerate(_QUOTED.findall(expression))}
    places = iter(quoted)
    try:
        tree = ast.parse(_QUOTED.sub(lambda _: next(places), expression).strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise DataError(f"{expression[:60]!r} of the formula cannot be read. {_CURE}") from error
    nodes = list(ast.walk(tree))
    if len(nodes) > _MOST_NODES:
        raise DataError(f"{expression[:60]!r} of the formula goes on and on: it has {len(nodes):,} parts. Make a column of it before.")
    for each in nodes:
        if isinstance(each, ast.Name):
            each.id = quoted.get(each.id, each.id)
    return tree


@dataclass(frozen=True)
class _Reader:
    """Turns a tree into code, and refuses what is not row by row."""

    expression: str
    columns: list[str]

    def code(self, tree: ast.expr) -> Code:
        """Return what makes the values of a tree."""
        if isinstance(tree, ast.Name):
            self.columns.append(tree.id)
            return lambda values: values[tree.id]
        if (number := _number(tree)) is not None:
            return lambda _: number
        if isinstance(tree, ast.UnaryOp) and isinstance(tree.op, ast.USub):
            inner = self.code(tree.operand)
            return lambda values: -inner(values)
        if isinstance(tree, ast.BinOp) and type(tree.op) in _OPERATORS:
            apply, left, right = _OPERATORS[type(tree.op)], self.code(tree.left), self.code(tree.right)
            return lambda values: _applied(apply, left(values), right(values))
        if isinstance(tree, ast.BinOp) and isinstance(tree.op, ast.Pow):
            return self._power(tree)
        if isinstance(tree, ast.Call) and not tree.keywords:
            return self._call(tree)
        raise self._refusal(tree)

    def _power(self, tree: ast.BinOp) -> Code:
        base, power = self.code(tree.left), tree.right
        if isinstance(power, ast.Constant) and type(power.value) is int and 0 < power.value <= _MOST_FACTORS:
            count = power.value
            return lambda values: reduce(lambda one, other: _applied(operator.mul, one, other), [base(values)] * count)
        exponent = self.code(power)
        return lambda values: _rounded(np.power, base(values), exponent(values))

    def _call(self, tree: ast.Call) -> Code:
        if ast.unparse(tree.func) == "I" and len(tree.args) == 1:
            return self.code(tree.args[0])
        function = _function(tree.func)
        if function is None or function.nin != len(tree.args):
            raise self._refusal(tree)
        arguments = [self.code(each) for each in tree.args]
        return lambda values: _rounded(function, *(each(values) for each in arguments))

    def _refusal(self, tree: ast.expr) -> DataError:
        piece = ast.unparse(tree)
        where = "" if piece == self.expression else f" in {self.expression!r}"
        return DataError(f"{piece!r}{where} of the formula is no term that can be made batch by batch. {_CURE}")


def _number(tree: ast.expr) -> Doubled | None:
    """Return a number that is written out, or one that NumPy has a name for, such as np.pi."""
    value = tree.value if isinstance(tree, ast.Constant) else _of_numpy(tree)
    if type(value) is int and value < 1 << 1023:
        high = float(value)
        return Doubled(np.array(high), np.array(float(value - int(high))))
    return Doubled(np.array(value), np.array(0.0)) if type(value) is float else None


def _function(tree: ast.expr) -> Any:
    """Return a function of NumPy that takes numbers and takes each row by itself, as its universal functions do."""
    found = _SHORT.get(tree.id) if isinstance(tree, ast.Name) else _of_numpy(tree)
    if not isinstance(found, np.ufunc) or found.signature is not None or found.nout != 1:
        return None
    return found if any(kinds == "d" * found.nin + "->" + kinds[-1] and kinds[-1] in "d?" for kinds in found.types) else None


def _of_numpy(tree: ast.expr) -> Any:
    named = isinstance(tree, ast.Attribute) and isinstance(tree.value, ast.Name) and tree.value.id in ("np", "numpy")
    return vars(np).get(tree.attr) if named and isinstance(tree, ast.Attribute) else None


def _applied(apply: Callable[[Any, Any], Any], one: Doubled, other: Doubled) -> Doubled:
    """Return a sum, product or quotient with 32 digits, or with 16 where these are beyond the range."""
    found, plain = apply(one, other), apply(one.high, other.high)
    there = np.isfinite(found.high + found.low)
    return Doubled(np.where(there, found.high, plain), np.where(there, found.low, 0.0))


def _rounded(function: Callable[..., Any], *values: Doubled) -> Doubled:
    found: Doubles = np.asarray(function(*(each.high for each in values)), np.float64)
    return Doubled(found, np.zeros_like(found))
