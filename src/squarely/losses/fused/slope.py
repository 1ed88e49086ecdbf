"""The derivative of an expression, by the rules of calculus: of losses whose declaration has none."""

from collections.abc import Callable

from squarely.losses.fused.trace import TRACED, Expression, Symbol, UntraceableError, sign, where

__all__ = ["slope"]

# What the derivative of a function of one number is multiplied by, given the function and its argument.
_FACTORS: dict[str, Callable[[Symbol, Expression], Expression]] = {
    "abs": lambda whole, x: sign(x),
    "sqrt": lambda whole, x: 0.5 / whole,
    "exp": lambda whole, x: whole,
    "expm1": lambda whole, x: TRACED.exp(x),
    "log": lambda whole, x: 1.0 / x,
    "log1p": lambda whole, x: 1.0 / (1.0 + x),
    "sinh": lambda whole, x: 0.5 * (TRACED.exp(x) + TRACED.exp(-x)),
    "tanh": lambda whole, x: (1.0 - whole) * (1.0 + whole),
}


def slope(of: Expression, by: Symbol) -> Expression:
    """Return the derivative of an expression by one of its symbols; of ``where``, that of the side that is taken."""
    known: dict[int, Expression] = {}

    def of_one(each: Expression) -> Expression:
        if not isinstance(each, Symbol):
            return 0.0
        if id(each) not in known:
            known[id(each)] = 1.0 if each is by else _rule(each, of_one)
        return known[id(each)]

    return of_one(of)


def _rule(whole: Symbol, of_one: Callable[[Expression], Expression]) -> Expression:
    """Return the derivative of an operation, given those of its operands."""
    operation, operands = whole.operation, whole.operands
    if operation in ("given", "stop"):
        return 0.0
    if operation == "where":
        there, elsewhere = of_one(operands[1]), of_one(operands[2])
        return 0.0 if _is_zero(there) and _is_zero(elsewhere) else where(operands[0], there, elsewhere)
    if operation in _FACTORS:
        return _times(_FACTORS[operation](whole, operands[0]), of_one(operands[0]))
    if operation == "power":
        base, exponent = operands
        return _times(exponent * base ** (exponent - 1.0), of_one(base))
    return _of_two(whole, operation, *operands, *map(of_one, operands))


def _of_two(whole: Symbol, operation: str, a: Expression, b: Expression, slope_a: Expression, slope_b: Expression) -> Expression:
    if operation == "+":
        return _plus(slope_a, slope_b)
    if operation == "-":
        return _plus(slope_a, _times(-1.0, slope_b))
    if operation == "*":
        return _plus(_times(b, slope_a), _times(a, slope_b))
    if operation == "divide":  # without the square of b, which may be too large or too small for a number
        return _plus(_over(slope_a, b), _times(-1.0, _over(_times(whole, slope_b), b)))
    if operation == "hypot":
        return _plus(_times(a / whole, slope_a), _times(b / whole, slope_b))
    raise UntraceableError(f"{operation} has no derivative here")


def _is_zero(x: Expression) -> bool:
    return not isinstance(x, Symbol) and x == 0


def _plus(a: Expression, b: Expression) -> Expression:
    return b if _is_zero(a) else a if _is_zero(b) else a + b


def _times(a: Expression, b: Expression) -> Expression:
    return 0.0 if _is_zero(a) or _is_zero(b) else a * b


def _over(a: Expression, b: Expression) -> Expression:
    return 0.0 if _is_zero(a) else a / b
