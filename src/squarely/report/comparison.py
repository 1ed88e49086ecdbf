"""A comparison for a reader: terminal, Markdown, JSON, and one self-contained HTML page."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from functools import cache

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup
from rich.console import Console
from rich.text import Text

from squarely.compare import Comparison, Murphy, Pair
from squarely.report import html, markdown, text
from squarely.report.figures import Drawing
from squarely.report.report import number, one_line, whole
from squarely.svg import Figure, axis_range

__all__ = ["as_csv", "as_html", "as_json", "as_markdown", "as_text"]

_MOST_PAIRS = 45  # of ten models; of more, only those with the best one are told
_CURVE_POINTS = 160
_PAIRS = ("models", "difference", "interval", "p for all", "effect", "what follows")
_MODELS = ("model", "value", "better than")


def _pairs(comparison: Comparison) -> list[tuple[str, ...]]:
    """Return the cells of each pair, the better-ranked model first, pairs with the best one on top."""
    ranking = comparison.ranking
    rank = {model: at for at, model in enumerate(ranking)}
    pairs = sorted(comparison.pairs, key=lambda pair: sorted((rank[pair.a], rank[pair.b])))
    if len(pairs) > _MOST_PAIRS:
        pairs = [pair for pair in pairs if ranking[0] in (pair.a, pair.b)]
    return [_cells(pair, rank[pair.a] < rank[pair.b]) for pair in pairs]


def _cells(pair: Pair, straight: bool) -> tuple[str, ...]:
    sign = 1 if straight else -1
    first, second = (pair.a, pair.b) if straight else (pair.b, pair.a)
    low, high = sorted(sign * end for end in pair.ci)
    follows = f"{pair.better} is better" if pair.better else "cannot be told apart"
    if pair.dominates and pair.dominates == pair.better:
        follows += ", under every loss for the mean"
    p = "< 0.001" if pair.p_adjusted < 0.001 else f"{pair.p_adjusted:.3f}"
    return f"{first} - {second}", f"{sign * pair.difference:.4g}", f"{low:.3g} to {high:.3g}", p, f"{sign * pair.effect:.2g}", follows


def _models(comparison: Comparison) -> list[tuple[str, ...]]:
    beaten = {model: sum(pair.better == model for pair in comparison.pairs) for model in comparison.ranking}
    others = len(comparison.ranking) - 1
    return [(model, number(comparison.values[model]), f"{beaten[model]} of {others}") for model in comparison.ranking]


def _notes(comparison: Comparison) -> list[str]:
    notes = [
        f"{whole(comparison.n)} rows; {comparison.method}; intervals at {100 * comparison.confidence:g} % for each pair alone.",
        "p for all: the chance of such a difference, in any of the pairs, where there is none (Holm). effect: the difference in standard "
        "deviations of the differences.",
    ]
    if len(comparison.pairs) > _MOST_PAIRS:
        notes.append(f"Of {len(comparison.pairs):,} pairs those with {comparison.ranking[0]} are shown; JSON has all.")
    return notes


def as_text(comparison: Comparison, console: Console) -> None:
    """Print a comparison on a rich console."""
    text.say(console, Text(one_line(comparison.verdict, 4_000), style="bold"))
    console.print()
    for header, rows in ((_MODELS, _models(comparison)), (_PAIRS, _pairs(comparison))):
        cells = [[Text(one_line(row[0], 64), style="cyan"), *(Text(one_line(cell, 120)) for cell in row[1:])] for row in rows]
        text.table(console, [text.Draft(header, cells, left=(0, len(header) - 1))])
        console.print()
    for note in _notes(comparison):
        text.say(console, Text(note, style="dim"))


def as_markdown(comparison: Comparison) -> str:
    """Return a comparison as GitHub-flavoured Markdown."""
    parts = [f"# Comparison by {markdown.escape(comparison.metric, 120)}", f"**{markdown.escape(comparison.verdict, 2000)}**"]
    for header, rows, align in ((_MODELS, _models(comparison), "lrr"), (_PAIRS, _pairs(comparison), "lrrrrl")):
        parts.append(markdown.table(header, [[markdown.escape(cell, 160) for cell in row] for row in rows], align))
    parts.append("\n".join(f"- {markdown.escape(note, 400)}" for note in _notes(comparison)))
    return "\n\n".join(parts) + "\n"


def as_json(comparison: Comparison) -> str:
    """Return a comparison as JSON."""
    return json.dumps(comparison.to_dict(), indent=2, ensure_ascii=False) + "\n"


def as_csv(comparison: Comparison) -> str:
    """Return the pairs of a comparison as CSV."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("a", "b", "metric", "difference", "se", "ci_low", "ci_high", "p_value", "p_adjusted", "effect", "better"))
    for pair in comparison.pairs:
        numbers = (pair.difference, pair.se, *pair.ci, pair.p_value, pair.p_adjusted, pair.effect)
        writer.writerow((pair.a, pair.b, comparison.metric, *map(repr, numbers), pair.better or ""))
    return out.getvalue()


def as_html(comparison: Comparison) -> str:
    """Return a comparison as an HTML page; the same comparison gives the same bytes."""
    drawing = None if comparison.murphy is None else _diagram(comparison.murphy, comparison.ranking)
    page = _page().render(
        comparison=comparison,
        tables=[("Models", _MODELS, _models(comparison)), ("Pairs", _PAIRS, _pairs(comparison))],
        notes=_notes(comparison),
        drawing=drawing,
        svg=Markup(drawing.svg) if drawing else "",
        style=Markup(html.read("style.css")),
    )
    return page.encode("utf-8", "replace").decode("utf-8")


@cache
def _page() -> Template:
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters.update(name=html.name, line=one_line)
    return environment.from_string(html.read("comparison.html"))


def _diagram(diagram: Murphy, ranking: Sequence[str]) -> Drawing:
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
    caption = f"Lower is better; where one curve is below the other everywhere, no loss for the mean prefers the other. {whole(diagram.rows)} rows."
    return Drawing("Murphy diagram", figure.render(), caption)
