"""Prints docs/losses.md from the registry of losses and the table of conventions; tests hold both."""

import inspect
import tomllib
from pathlib import Path

from squarely.losses.forms import FORMS, Form
from squarely.losses.kernels import KERNELS, Kernel

HEAD = """# The losses

Each has one declaration, from which come a function and a module for torch, functions for JAX, losses for Keras, NumPy objects with derivatives,
and objectives for boosting. u is the prediction less the target. [training.md](training.md) is the guide.

Parameters are in the unit of the target. "95 %" is the parameter, in units of the scale of the errors, at which an estimate keeps 95 % of the
precision of a mean where errors are normal."""


def row(declared: type[Kernel] | type[Form]) -> str:
    """One line of the table."""
    settings = ", ".join(f"{name}={setting.default}" for name, setting in declared.settings.items()) or "-"
    constants = ", ".join(f"{name}={value:g}" for name, value in declared.efficient.items()) or "-"
    tex = declared.tex.replace("|", r"\vert ")  # a bar would end the cell
    return f"| `{declared.name}` | $`{tex}`$ | {settings} | {constants} | {declared.elicits} |"


def words(declared: type[Kernel] | type[Form]) -> str:
    """What is to be known of a loss, and where it comes from."""
    bowl = ", not convex" if not getattr(declared, "convex", True) else ""
    said = " ".join((inspect.getdoc(declared) or "").split("References")[0].split())
    return f"* `{declared.name}` ({declared.title}{bowl}): {said} {declared.reference}"


def conventions() -> str:
    """The lines of the table of conventions."""
    table = tomllib.loads((Path(__file__).parent.parent / "tests" / "conventions.toml").read_text(encoding="utf-8"))
    lines = ["| library | its loss | here |", "|---|---|---|"]
    for library, rows in table.items():
        for each in rows:
            times = f"{each['times']:g} x " if each.get("times", 1.0) != 1.0 else ""
            lines.append(f"| {library} | `{each['theirs']}` | {times}`{each['ours']}` |")
    return "\n".join(lines)


HEADER = "| loss | formula | parameters | 95 % | a constant of least loss |\n|---|---|---|---|---|"
DECLARED = [*KERNELS.values(), *FORMS.values()]
print(
    "\n\n".join(
        [
            HEAD,
            "\n".join([HEADER, *map(row, DECLARED)]),
            "## What to know of each",
            "\n".join(map(words, DECLARED)),
            "## The same number elsewhere",
            "With a prediction p, a target y, a variance v and e = p - y, means over all elements. Every line is a test.",
            conventions(),
        ]
    )
)
