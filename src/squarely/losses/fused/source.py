"""Expressions as functions of Triton, whose source can be read."""

import itertools
import linecache
import math
from collections.abc import Sequence
from typing import Any

from squarely.losses.fused import elementary
from squarely.losses.fused.device import tl, triton
from squarely.losses.fused.trace import Expression, Symbol

__all__ = ["compiled", "written"]

_OPERATORS = ("+", "-", "*", "<", "<=", ">", ">=", "==", "!=", "&", "|")
_NAMES = {"where": "tl.where", "abs": "tl.abs"}
_count = itertools.count(1)


def written(name: str, takes: Sequence[str], returns: Sequence[Expression]) -> str:
    """Return the source of a function of Triton; what occurs twice is computed once."""
    lines: dict[str, str] = {}  # right-hand side to name
    known: dict[int, str] = {}

    def name_of(right: str, prefix: str) -> str:
        return lines.setdefault(right, f"{prefix}{len(lines)}")

    def place(expression: Expression) -> str:
        if not isinstance(expression, Symbol):
            return name_of(f"tl.full((), {_number(expression)}, FLOAT)", "c")
        if expression.operation == "given":
            return str(expression.operands[0])
        if id(expression) not in known:
            known[id(expression)] = name_of(_right(expression.operation, [place(each) for each in expression.operands]), "v")
        return known[id(expression)]

    results = [place(each) for each in returns]
    body = [f"    {left} = {right}" for right, left in lines.items()]
    return "\n".join([f"def {name}({', '.join(takes)}, FLOAT: tl.constexpr):", *body, f"    return {', '.join(results)}", ""])


def _right(operation: str, operands: list[str]) -> str:
    if operation == "stop":
        return operands[0]
    if operation == "~":
        return f"~{operands[0]}"
    if operation in _OPERATORS:
        return f" {operation} ".join(operands)
    return f"{_NAMES.get(operation, operation)}({', '.join(operands)})"


def _number(value: float) -> str:
    return repr(float(value)) if math.isfinite(value) else f'float("{value}")'


def compiled(source: str, name: str) -> Any:
    """Return a function of Triton, which reads its source where Python keeps it for tracebacks."""
    file = f"<squarely {name} {next(_count)}>"
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    room = {"tl": tl, "__name__": __name__} | {each: getattr(elementary, each) for each in elementary.__all__}
    exec(compile(source, file, "exec"), room)
    return triton.jit(room[name])
