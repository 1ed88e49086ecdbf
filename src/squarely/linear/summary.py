"""Summary: a fit on one page, as users of statsmodels know it."""

import html
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from squarely.diagnose.laws import f_tail
from squarely.errors import DataError
from squarely.linear.collinearity import Collinearity
from squarely.linear.doubled import Doubles
from squarely.linear.equations import NormalEquations
from squarely.linear.inference import Inference
from squarely.linear.likelihood import Likelihood
from squarely.linear.robust import RobustInference
from squarely.plain import one_line
from squarely.state import Dyadic

__all__ = ["Summary", "f_statistic"]

_ASSUMED = "Standard errors assume independent errors of equal variance."
_SOLVABLE = 1e12  # condition number of correlations, beyond which fewer than the digits that are shown are left
_MANY = "Standard errors hold as rows become many."
_LONG, _TERMINAL = 30, 80  # letters of a name in text, and of a line
_BOX = "overflow-x:auto"  # a narrow window scrolls the tables, and not the page
_STYLE = "border-collapse:collapse;margin:0 0 1em;font-variant-numeric:tabular-nums"
_LEFT, _RIGHT = "text-align:left;min-width:8em;padding:0.1em 1em 0.1em 0", "text-align:right;padding:0.1em 0.6em;white-space:nowrap"


@dataclass(frozen=True)
class Summary:
    """A fit on one page, a table for each target: ``str`` is text, ``to_html`` escapes names that come from data.

    ``facts`` are pairs of a label and a number as it is shown, ``table`` has a row for each estimate, and ``notes`` say what it rests on.
    """

    title: str
    targets: tuple[str, ...]
    facts: tuple[tuple[tuple[str, str], ...], ...]
    head: tuple[str, ...]
    tables: tuple[tuple[tuple[str, ...], ...], ...]
    notes: tuple[str, ...]

    @classmethod
    def of(cls, equations: NormalEquations, exact: Dyadic, inference: Inference, confidence: float, sample_weight: Any, omitted: int) -> "Summary":
        """Return the summary of a fit."""
        low = _outside(confidence)
        ends = inference.intervals(confidence)
        tables = tuple(_estimates(inference, ends, at) for at in range(len(equations.targets)))
        return cls(
            f"Least squares of {', '.join(one_line(name) for name in equations.targets)}",
            equations.targets,
            tuple(_facts(equations, exact, inference, at, sample_weight) for at in range(len(equations.targets))),
            _head(low),
            tables,
            tuple(_notes(equations, inference, omitted)),
        )

    @classmethod
    def of_passes(
        cls, model: str, targets: tuple[str, ...], found: list[Any], confidence: float, passes: int, omitted: int, rests_on: str = _MANY
    ) -> "Summary":
        """Return the summary of fits of several passes, one for each target, with what is known of their coefficients."""
        low = _outside(confidence)
        tables = tuple(_estimates(each, each.intervals(confidence), 0) for each in found)
        facts = tuple(
            (
                ("Model:", model),
                ("Dep. Variable:", one_line(target, 24)),
                ("No. Observations:", f"{each.rows:.12g}"),
                ("Covariance Type:", getattr(each, "kind", "nonrobust")),
                ("Df Residuals:", "-" if np.isinf(each.freedom) else f"{each.freedom:.12g}"),
                ("Passes:", f"{passes}"),
            )
            for target, each in zip(targets, found, strict=True)
        )
        title = f"{model} of {', '.join(map(one_line, targets))}"
        return cls(title, targets, facts, _head(low, "z" if np.isinf(found[0].freedom) else "t"), tables, (rests_on, *_of_omitted(omitted)))

    def __str__(self) -> str:
        lines = [self.title]
        for target, facts, table in zip(self.targets, self.facts, self.tables, strict=True):
            first, cells = _widths([self.head, *table])
            width = first + sum(cells)
            lines += ["", f"Target {one_line(target)}"] if len(self.targets) > 1 else []
            lines += ["=" * width, *_beside(facts, width), "=" * width]
            rows = [("", *self.head[1:]), *((one_line(row[0], first), *row[1:]) for row in table)]
            body = [f"{row[0]:<{first}}" + "".join(f"{each:>{cell}}" for each, cell in zip(row[1:], cells, strict=True)) for row in rows]
            lines += [body[0], "-" * width, *body[1:], "=" * width]
        return "\n".join([*lines, *self.notes])

    __repr__ = __str__

    def to_html(self) -> str:
        """Return the summary as tables of HTML; a name cannot add markup."""
        pieces = [f"<p><strong>{html.escape(self.title)}</strong></p>"]
        for target, facts, table in zip(self.targets, self.facts, self.tables, strict=True):
            half = (len(facts) + 1) // 2
            pairs = zip(facts[:half], [*facts[half:], ("", "")], strict=False)
            pieces.append(f"<p>{html.escape(one_line(target))}</p>" if len(self.targets) > 1 else "")
            pieces.append(_table((), (_cells(left) + _cells(right) for left, right in pairs)))
            pieces.append(_table(self.head, map(_cells, table)))
        return f'<div style="{_BOX}">' + "\n".join([*pieces, *(f"<p>{html.escape(note)}</p>" for note in self.notes)]) + "</div>"

    _repr_html_ = to_html


def _widths(rows: list[tuple[str, ...]]) -> tuple[int, list[int]]:
    """Return the widths of names and numbers: those of numbers alike where the whole fits a terminal, else no wider than each has to be."""
    name = max(12, *(len(one_line(row[0], _LONG)) for row in rows))
    least = [2 + max(map(len, column)) for column in zip(*(row[1:] for row in rows), strict=True)]
    alike = [max(10, *least)] * len(least)
    if name + sum(alike) <= _TERMINAL:
        return name, alike
    return max(12, min(name, _TERMINAL - sum(least))), least


def _beside(facts: tuple[tuple[str, str], ...], width: int) -> list[str]:
    """Return lines of two facts each: labels to the left, values to the right of either half; a value on the left gives way."""
    half = (len(facts) + 1) // 2
    sides = facts[:half], [*facts[half:], ("", "")][:half]
    labels, values = ([max(len(each[at]) for each in side) for side in sides] for at in (0, 1))
    left = min(max(width // 2 - 2, labels[0] + 1 + values[0]), width - 5 - labels[1] - values[1])
    room, rest = left - labels[0], width - left - 4 - labels[1]
    return [f"{a:<{labels[0]}}{one_line(b, room - 1):>{room}}    {c:<{labels[1]}}{d:>{rest}}".rstrip() for (a, b), (c, d) in zip(*sides, strict=True)]


def _table(head: tuple[str, ...], rows: Iterable[str]) -> str:
    titles = "".join(f'<th scope="col" style="{_RIGHT}">{html.escape(cell)}</th>' for cell in head)
    above = f"<thead><tr>{titles}</tr></thead>" if head else ""
    return f'<table style="{_STYLE}">{above}<tbody>{"".join(f"<tr>{row}</tr>" for row in rows)}</tbody></table>'


def _cells(row: tuple[str, ...]) -> str:
    values = "".join(f'<td style="{_RIGHT}">{html.escape(cell)}</td>' for cell in row[1:])
    return f'<th scope="row" style="{_LEFT}">{html.escape(row[0])}</th>{values}'


def _wide(value: float) -> str:
    """Write a number as statsmodels does, in four digits after the point, or six significant ones where that would say nothing."""
    value = float(value)
    return f"{value:.4f}" if value == 0 or 1e-3 <= abs(value) < 1e6 else f"{value:.4g}"


def _outside(confidence: float) -> float:
    """Return the probability below an interval."""
    if not 0 < confidence < 1:
        raise DataError(f"confidence is {confidence!r}; expected a number between 0 and 1, such as 0.95.")
    return (1 - confidence) / 2


def _head(low: float, statistic: str = "t") -> tuple[str, ...]:
    return ("", "coef", "std err", statistic, f"P>|{statistic}|", f"[{low:.3g}", f"{1 - low:.3g}]")


def _estimates(inference: Any, ends: Doubles, at: int) -> tuple[tuple[str, ...], ...]:
    return tuple(
        (one_line(name), _wide(inference.estimates[row, at]), *_errors(inference, row, at), *map(_wide, ends[row, at]))
        for row, name in enumerate(inference.names)
    )


def _errors(inference: Any, row: int, at: int) -> tuple[str, str, str]:
    return _wide(inference.standard_errors[row, at]), f"{inference.t_values[row, at]:.3f}", f"{inference.p_values[row, at]:.3f}"


def _facts(equations: NormalEquations, exact: Dyadic, inference: Inference, at: int, sample_weight: Any) -> tuple[tuple[str, str], ...]:
    rank = equations.factor.rank
    freedom = inference.rows - rank - equations.intercept
    r2 = float(inference.r2[at])
    adjusted = 1 - (1 - r2) * (inference.rows - equations.intercept) / freedom if freedom > 0 else np.nan
    f = f_statistic(equations, exact, inference, at)
    try:
        likelihood = Likelihood.of(equations, exact, sample_weight)
        criteria = tuple(f"{float(values[at]):.6g}" for values in (likelihood.log_likelihood, likelihood.aic, likelihood.bic))
    except DataError:
        criteria = ("give sample_weight",) * 3
    centred = "" if equations.intercept else " (uncentered)"
    return (
        ("Dep. Variable:", one_line(equations.targets[at], 24)),
        ("No. Observations:", f"{inference.rows}"),
        ("Df Residuals:", f"{freedom}"),
        ("Df Model:", f"{rank}"),
        ("Covariance Type:", inference.kind if isinstance(inference, RobustInference) else "nonrobust"),
        ("Residual std:", f"{np.sqrt(inference.residual_squares[at] / freedom) if freedom > 0 else np.nan:.6g}"),
        ("Cond. No. (scaled):", f"{Collinearity.of(equations).condition_number:.3g}"),
        (f"R-squared{centred}:", f"{r2:.4f}"),
        (f"Adj. R-squared{centred}:", f"{adjusted:.4f}"),
        ("F-statistic:", f"{f:.4g}"),
        ("Prob (F-statistic):", f"{f_tail(f, rank, inference.freedom):.3g}"),
        *zip(("Log-Likelihood:", "AIC:", "BIC:"), criteria, strict=True),
    )


def f_statistic(equations: NormalEquations, exact: Dyadic, inference: Inference, at: int) -> float:
    r"""Return F of all slopes together: what they explain, :math:`(\mathrm{TSS} - \mathrm{RSS}) / (r s^2)`, in integers; or that of Wald."""
    if isinstance(inference, RobustInference):
        return _wald(equations, inference, at)
    rank, left = equations.factor.rank, float(inference.residual_squares[at])
    if not rank or not inference.freedom > 0:
        return float("nan")
    explained = float(equations.explained_squares(exact)[at])
    return explained / left * (inference.freedom / rank) if left > 0 else float("inf") if explained > 0 else float("nan")


def _wald(equations: NormalEquations, inference: Inference, at: int) -> float:
    r"""Return :math:`b^\top V^{-1} b / r`, with the covariances V of the inference; nan where doubles cannot hold them."""
    there = np.flatnonzero(equations.factor.kept) + equations.intercept
    b, spread = inference.estimates[there, at], inference.standard_errors[there, at]
    if not len(there) or not inference.freedom > 0 or not (spread > 0).all():
        return float("nan")
    if not isinstance(inference, RobustInference):  # the same without covariances, which are no doubles where features are measured in 1e200
        explained = float((equations.root[1][:, at] ** 2).sum())
        return explained / len(there) / float(inference.residual_std[at]) ** 2
    units = inference.units[there]
    correlations = inference.in_units[at][np.ix_(there, there)] / np.outer(spread / units, spread / units)
    if not np.linalg.cond(correlations) < _SOLVABLE:
        return float("nan")
    return float(b / spread @ np.linalg.solve(correlations, b / spread) / len(there))


def _notes(equations: NormalEquations, inference: Inference, omitted: int) -> list[str]:
    told = f"Standard errors are robust ({inference.kind})." if isinstance(inference, RobustInference) else _ASSUMED
    notes = [told, *_of_omitted(omitted)]
    notes += [
        f"Coefficients of {one_line(column)} are differences from {one_line(column)}[{one_line(level)}]."
        for column, level in equations.references.items()
    ]
    dropped = [name for name, keep in zip(equations.features, equations.factor.kept, strict=True) if not keep]
    if dropped:
        notes.append(f"These features depend on others and have no coefficient of their own: {', '.join(map(one_line, dropped))}.")
    return notes


def _of_omitted(rows: int) -> list[str]:
    return [f"{rows:,} {'row was' if rows == 1 else 'rows were'} left out, for a missing or infinite value."] if rows else []
