"""Derivatives that are lines through 0 and constants, piece by piece: there, every rounding of a gradient can be known."""

from squarely.losses.fused.slope import slope
from squarely.losses.fused.trace import COMPARISONS, Expression, Symbol, symbol

__all__ = ["constants", "line"]

_NOTHING, _CONSTANT, _LINE, _OTHER = range(4)  # what a piece may be; a sum of the first three has the bits of both
_CONDITIONS = (*COMPARISONS, "&", "|", "~")


def line(psi: Expression, u: Symbol, rest: Symbol) -> tuple[Expression, Expression] | None:
    """Return the slope of a function of one number and its value; None unless each piece is a constant or a line through 0.

    The number is ``u + rest``, of which ``u`` is the nearest float: the piece is that of the sum.
    """
    if _OTHER in _kinds(psi, {}):
        return None
    of_sum = _of_sum(psi, u, rest, {})
    return slope(of_sum, u), of_sum


def constants(*expressions: Expression) -> set[float]:
    """Return the numbers in expressions."""
    found, seen, left = set(), set(), list(expressions)
    while left:
        each = left.pop()
        if not isinstance(each, Symbol):
            found.add(float(each))
        elif each.operation != "given" and id(each) not in seen:
            seen.add(id(each))
            left += each.operands
    return found


def _kinds(x: Expression, known: dict[int, frozenset[int]]) -> frozenset[int]:
    """Return what the pieces of an expression may be."""
    if not isinstance(x, Symbol):
        return frozenset({_NOTHING if x == 0 else _CONSTANT})
    if id(x) not in known:
        known[id(x)] = frozenset({_LINE}) if x.operation == "given" else _together(x.operation, [_kinds(each, known) for each in x.operands])
    return known[id(x)]


def _together(operation: str, kinds: list[frozenset[int]]) -> frozenset[int]:
    """Return what the pieces of an operation may be, given those of its operands."""
    if operation in ("where", "abs", *_CONDITIONS):
        decides = kinds[:1] if operation == "where" else []
        return frozenset().union(*kinds[len(decides) :], *(each & {_OTHER} for each in decides))
    if operation in ("+", "-"):
        return frozenset(a | b for a in kinds[0] for b in kinds[1])
    if operation == "*":
        return frozenset(_OTHER if a == b == _LINE else max(a, b) if a and b else _NOTHING for a in kinds[0] for b in kinds[1])
    return frozenset({_OTHER})


def _of_sum(x: Expression, u: Symbol, rest: Symbol, known: dict[int, Expression]) -> Expression:
    """Return an expression whose comparisons look at ``rest`` where ``u`` alone is at the edge."""
    if not isinstance(x, Symbol) or x.operation == "given":
        return x
    if id(x) not in known:
        same = symbol(x.operation, *(_of_sum(each, u, rest, known) for each in x.operands))
        known[id(x)] = _beside(same, u, rest) if x.operation in COMPARISONS else same
    return known[id(x)]


def _beside(comparison: Symbol, u: Symbol, rest: Symbol) -> Symbol:
    a, b = comparison.operands
    apart = slope(a, u) - slope(b, u)
    if not isinstance(apart, Symbol) and apart == 0:
        return comparison
    beside = symbol(comparison.operation, apart * rest, 0.0)
    return symbol("where", symbol("==", a, b), beside, comparison)
