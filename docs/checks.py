"""Prints docs/checks.md from the registry of checks; a test holds the page and this script together."""

import inspect
import math
import re

from squarely.diagnose.checks import CHECKS, Check
from squarely.linear.checks_with_instruments import FIT_CHECKS

HEAD = """# The checks of `diagnose`

Names are stable. A check fires where its effect is above the threshold and, where chance could do it, its p-value for all checks of a model
together (Holm) is below 0.05. Errors are predictions less targets. Checks of a fit take its features too: `model.diagnose(X, y)` of
`sq.linear.LinearRegression` asks them beside the others; no other diagnosis does."""


def formulas(text: str) -> str:
    """Turn directives of mathematics into those of Markdown."""
    lines, out = text.splitlines(), []
    for line in lines:
        if line.startswith(".. math:: "):
            out.append(f"$$ {line.removeprefix('.. math:: ')} $$")
        elif out and out[-1].startswith("$$") and line.startswith("    "):
            out[-1] = f"{out[-1].removesuffix(' $$')} {line.strip()} $$"
        else:
            out.append(re.sub(r":math:`([^`]*)`", r"$\1$", line))
    return "\n".join(out)


def section(check: Check) -> str:
    """One check: what it measures, from where on it matters, how, and what follows from it."""
    text = formulas(inspect.getdoc(check.function) or "")
    body, _, source = text.partition("\n\nReferences\n----------\n")
    serious = "" if math.isinf(check.serious) else f", and is serious above {check.serious:g}"
    facts = [f"Effect: {check.measure}; it matters above {check.threshold:g}{serious}."]
    if not math.isinf(check.told):
        facts[0] = f"{facts[0][:-1]}; it is told above {check.told:g}."
    if check.id in FIT_CHECKS:
        facts.insert(0, "A check of a fit.")
    if check.explains:
        facts.append(f"Where it fires, these follow from it: {', '.join(check.explains)}.")
    if source:
        facts.append(" ".join(source.split()))
    listed = "\n".join(f"* {fact}" for fact in facts)
    return f"## {check.id}: {check.title}\n\n{body}\n\n{listed}"


print("\n\n".join([HEAD, *(section(check) for _, check in sorted({**CHECKS, **FIT_CHECKS}.items()))]))
