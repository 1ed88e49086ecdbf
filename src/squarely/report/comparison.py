"""A comparison for a reader: terminal, Markdown, JSON, and one self-contained HTML page."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Sequence

from markupsafe import Markup
from rich.console import Console
from rich.text import Text

from squarely.compare import Comparison, Murphy, Pair
from squarely.compare.words import Told, p_words, valued
from squarely.report import html, markdown, text
from squarely.report.drawing import Drawing
from squarely.report.pairs import MOST_PAIRS, pairs_in_order
from squarely.report.pairs import follows as what_follows
from squarely.report.report import one_line, percent, whole
from squarely.svg import Figure, axis_range

__all__ = ["as_csv", "as_html", "as_json", "as_markdown", "as_text"]

_CURVE_POINTS = 160


def _pairs_head(comparison: Comparison) -> tuple[str, ...]:
    return "pair", "difference", f"{percent(comparison.confidence)} interval", "p", "effect", "what follows"


def _models_head(comparison: Comparison) -> tuple[str, ...]:
    return "model", one_line(comparison.question.spoken, 40), "beats"


def _pairs(comparison: Comparison) -> list[tuple[str, ...]]:
    """Return the cells of each pair."""
    return [_cells(comparison, pair) for pair in pairs_in_order(comparison)]


def _cells(comparison: Comparison, pair: Pair) -> tuple[str, ...]:
    told, follows = Told.of(comparison.question, pair.difference, pair.ci), what_follows(pair)
    if pair.dominates and pair.dominates == pair.better:
        follows += ", under every loss for the mean"
    effect = "-" if math.isnan(pair.effect) else f"{pair.effect:z.2f}"
    return f"{pair.a} - {pair.b}", told.difference, told.between, p_words(pair.p_adjusted), effect, follows


def _models(comparison: Comparison) -> list[tuple[str, ...]]:
    beaten = {model: sum(pair.better == model for pair in comparison.pairs) for model in comparison.ranking}
    others = len(comparison.ranking) - 1
    return [(model, valued(comparison.question, comparison.values[model]), f"{beaten[model]} of {others}") for model in comparison.ranking]


def _notes(comparison: Comparison) -> list[str]:
    metric, many = comparison.question.metric, len(comparison.pairs) > 1
    target = one_line(comparison.evaluation.provenance.target, 40)
    unit = {"y": f"in units of {target}", "y^2": f"in squared units of {target}", "1": "without a unit"}.get(metric.unit, "in a unit of its own")
    unit = "in per cent, and differences in percentage points" if metric.percent else unit
    spread = "groups" if " groups of " in comparison.method else "rows"
    tested = comparison.method if comparison.method.endswith(f" {comparison.n:,} rows") else f"{whole(comparison.n)} rows, {comparison.method}"
    notes = [
        f"{one_line(comparison.question.spoken, 80)} is {unit}; {metric.direction} is better. "
        "A difference is that of the first model of a pair less the second.",
        f"{tested[:1].upper()}{tested[1:]}. Each interval is for its pair alone. "
        f"A model beats another where p is below {1 - comparison.confidence:.4g}.",
        f"p is the chance of so large a difference{', in any of the pairs,' * many} where there is none{' (Holm)' * many}. "
        f"effect is the difference in standard deviations between {spread}: 0.2 is small, and 0.8 large.",
    ]
    if len(comparison.pairs) > MOST_PAIRS:
        notes.append(f"Of {len(comparison.pairs):,} pairs those with {comparison.ranking[0]} are shown; JSON has all.")
    return notes


def _tables(comparison: Comparison) -> tuple[tuple[str, tuple[str, ...], list[tuple[str, ...]]], ...]:
    return ("Models", _models_head(comparison), _models(comparison)), ("Pairs", _pairs_head(comparison), _pairs(comparison))


def as_text(comparison: Comparison, console: Console) -> None:
    """Print a comparison on a rich console."""
    text.say(console, Text(one_line(comparison.verdict, 4_000), style="bold"))
    console.print()
    for _, header, rows in _tables(comparison):
        cells = [[Text(one_line(row[0], 64), style="cyan"), *(Text(one_line(cell, 120)) for cell in row[1:])] for row in rows]
        drafts = [text.Draft(header, cells, left=(0, len(header) - 1), intervals=(2,) if len(header) > 3 else ())]
        if len(header) > 3:  # where there is no room, the effect is what can be missed
            drafts.append(text.Draft((*header[:4], header[5]), [[*row[:4], row[5]] for row in cells], left=(0, 4)))
        text.table(console, drafts)
        console.print()
    for note in _notes(comparison):
        text.say(console, Text(note, style="dim"))


def as_markdown(comparison: Comparison) -> str:
    """Return a comparison as GitHub-flavoured Markdown."""
    parts = [f"# Comparison by {markdown.escape(comparison.question.spoken, 120)}", f"**{markdown.escape(comparison.verdict, 2000)}**"]
    for (_, header, rows), align in zip(_tables(comparison), ("lrr", "lrrrrl"), strict=True):
        cells = [[markdown.escape(cell, 160) for cell in row] for row in (header, *rows)]
        parts.append(markdown.table(cells[0], cells[1:], align))
    parts.append("\n".join(f"- {markdown.escape(note, 400)}" for note in _notes(comparison)))
    return "\n\n".join(parts) + "\n"


def as_json(comparison: Comparison) -> str:
    """Return a comparison as JSON."""
    return json.dumps(comparison.to_dict(), indent=2, ensure_ascii=False) + "\n"


def as_csv(comparison: Comparison) -> str:
    """Return the pairs of a comparison as CSV."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(comparison.columns)
    writer.writerows(zip(*comparison.columns.values(), strict=True))
    return out.getvalue()


def as_html(comparison: Comparison) -> str:
    """Return a comparison as an HTML page; the same comparison gives the same bytes."""
    drawing = None if comparison.murphy is None else _diagram(comparison.murphy, comparison.ranking, comparison.n)
    return html.written(
        "comparison.html",
        comparison=comparison,
        tables=_tables(comparison),
        notes=_notes(comparison),
        drawing=drawing,
        svg=Markup(drawing.svg) if drawing else "",
    )


def _diagram(diagram: Murphy, ranking: Sequence[str], rows: int) -> Drawing:
    """Draw the elementary scores of the two best models."""
    step = max(1, len(diagram.thresholds) // _CURVE_POINTS)
    shown = ranking[:2]
    curves = {model: list(zip(diagram.thresholds[::step].tolist(), diagram.scores[model][::step].tolist(), strict=True)) for model in shown}
    top = max(score for curve in curves.values() for _, score in curve)
    figure = Figure(
        "murphy",
        title=f"Murphy diagram of {' and '.join(one_line(model, 40) for model in shown)}",
        description="Lower is better. A model that is lower at every threshold is better under every loss that the mean is best for.",
        x=axis_range(diagram.thresholds.tolist(), margin=0.02),
        y=(0.0, top * 1.08 or 1.0),
        x_label="threshold, in the unit of the target",
        y_label="mean elementary score",
    )
    for role, model in zip(("curve", "guide"), shown, strict=True):
        figure.line(curves[model], role)
    figure.legend([(role, one_line(model, 24)) for role, model in zip(("curve", "guide"), shown, strict=True)])
    of = "" if diagram.rows == rows else f" of {whole(rows)}"
    caption = (
        "Lower is better. Each threshold is one loss that rewards forecasting the mean, and any other such loss, as the squared error, is made "
        f"up of them: a model that is lower throughout is better under all of them. {whole(diagram.rows)}{of} rows."
    )
    return Drawing("Murphy diagram of the two best models", figure.render(), caption)
