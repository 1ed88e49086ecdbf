"""Formulas of the declarations as expressions: they run once over symbols, and what they did is written down."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Union

__all__ = ["COMPARISONS", "TRACED", "Expression", "Symbol", "UntraceableError", "given", "sign", "symbol", "where"]

Expression = Union["Symbol", float]
COMPARISONS = ("<", "<=", ">", ">=", "==", "!=")


class UntraceableError(Exception):
    """A formula does what a kernel cannot: the loss is computed as it is without one."""


@dataclass(frozen=True, eq=False)
class Symbol:
    """A number of each element: an operation and what it is applied to.

    Parameters
    ----------
    operation : an operator of Python, or the name of a function
    operands : symbols and numbers; the name alone where the operation is ``given``
    """

    operation: str
    operands: tuple[Any, ...]

    __array_ufunc__ = None  # a number of NumPy leaves the operation to the symbol
    __hash__ = object.__hash__

    def __bool__(self) -> bool:
        raise UntraceableError("a formula branches on an element")

    def __add__(self, other: Expression) -> Expression:
        return symbol("+", self, other)

    def __radd__(self, other: Expression) -> Expression:
        return symbol("+", other, self)

    def __sub__(self, other: Expression) -> Expression:
        return symbol("-", self, other)

    def __rsub__(self, other: Expression) -> Expression:
        return symbol("-", other, self)

    def __mul__(self, other: Expression) -> Expression:
        return self if _is(other, 1.0) else symbol("*", self, other)

    def __rmul__(self, other: Expression) -> Expression:
        return self if _is(other, 1.0) else symbol("*", other, self)

    def __truediv__(self, other: Expression) -> Expression:
        return self if _is(other, 1.0) else symbol("divide", self, other)

    def __rtruediv__(self, other: Expression) -> Expression:
        return symbol("divide", other, self)

    def __neg__(self) -> Expression:
        return symbol("*", -1.0, self)  # as exact as the change of a sign

    def __abs__(self) -> Expression:
        return symbol("abs", self)

    def __pow__(self, exponent: Any) -> Expression:
        if isinstance(exponent, Symbol):
            raise UntraceableError("a power has an exponent of each element")
        if exponent == 0.5:
            return symbol("sqrt", self)
        if exponent != int(exponent) or abs(exponent) > 64:
            return symbol("power", self, float(exponent))
        whole = _whole_power(self, abs(int(exponent)))
        return whole if exponent >= 0 else 1.0 / whole

    def __lt__(self, other: Expression) -> Expression:
        return symbol("<", self, other)

    def __le__(self, other: Expression) -> Expression:
        return symbol("<=", self, other)

    def __gt__(self, other: Expression) -> Expression:
        return symbol(">", self, other)

    def __ge__(self, other: Expression) -> Expression:
        return symbol(">=", self, other)

    def __eq__(self, other: Any) -> Any:
        return symbol("==", self, other)

    def __ne__(self, other: Any) -> Any:
        return symbol("!=", self, other)

    def __and__(self, other: Expression) -> Expression:
        return symbol("&", self, other)

    def __or__(self, other: Expression) -> Expression:
        return symbol("|", self, other)

    def __invert__(self) -> Expression:
        return symbol("~", self)


def symbol(operation: str, *operands: Any) -> Symbol:
    """Return an operation applied to symbols and numbers."""
    for each in operands:
        if not isinstance(each, Symbol | int | float):
            raise UntraceableError(f"{operation} of a {type(each).__name__}")
    return Symbol(operation, tuple(each if isinstance(each, Symbol) else float(each) for each in operands))


def given(name: str) -> Symbol:
    """Return what a formula is a function of."""
    return Symbol("given", (name,))


def where(condition: Any, there: Expression, elsewhere: Expression) -> Expression:
    """Return one of two by a condition on each element."""
    if not isinstance(condition, Symbol):
        return there if condition else elsewhere
    return symbol("where", condition, there, elsewhere)


def sign(x: Expression) -> Expression:
    """Return -1, 0 or 1, and nan of nan."""
    return where(x > 0, 1.0, where(x < 0, -1.0, 0.0 * x))


def _is(expression: Any, number: float) -> bool:
    return not isinstance(expression, Symbol) and expression == number


def _whole_power(x: Expression, exponent: int) -> Expression:
    """Return a product of so many factors, of squares of squares."""
    if exponent == 0:
        return 1.0
    half = _whole_power(x, exponent // 2)
    square = half * half if exponent > 1 else 1.0
    return x * square if exponent % 2 else square


def _function(name: str) -> Callable[[Expression], Expression]:
    return lambda x: symbol(name, x)


class Traced:
    """The namespace ``xp`` of the declarations, over symbols. What it lacks makes a formula untraceable."""

    inf, nan, pi, e = float("inf"), float("nan"), 3.141592653589793, 2.718281828459045
    abs = staticmethod(_function("abs"))
    sqrt = staticmethod(_function("sqrt"))
    exp = staticmethod(_function("exp"))
    expm1 = staticmethod(_function("expm1"))
    log = staticmethod(_function("log"))
    log1p = staticmethod(_function("log1p"))
    sinh = staticmethod(_function("sinh"))
    tanh = staticmethod(_function("tanh"))
    sign = staticmethod(sign)
    where = staticmethod(where)

    @staticmethod
    def clip(x: Expression, low: float | None, high: float | None) -> Expression:
        """Return the nearest number between two; nan of nan."""
        x = x if low is None else where(x < low, low, x)
        return x if high is None else where(x > high, high, x)

    @staticmethod
    def square(x: Expression) -> Expression:
        """Return the square."""
        return x * x

    @staticmethod
    def hypot(x: Expression, y: Expression) -> Expression:
        """Return the root of the sum of two squares."""
        return symbol("hypot", x, y)

    @staticmethod
    def isnan(x: Expression) -> Any:
        """Say where a number is none."""
        return x != x

    @staticmethod
    def zeros_like(x: Expression) -> Expression:
        """Return 0."""
        return 0.0

    @staticmethod
    def ones_like(x: Expression) -> Expression:
        """Return 1."""
        return 1.0

    @staticmethod
    def full_like(x: Expression, number: float) -> Expression:
        """Return a number."""
        return number


TRACED = Traced()
