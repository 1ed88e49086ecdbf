"""Reports: one frozen value, four renderers.

Importing this package registers the renderers with ``squarely.evaluate``; a renderer's own libraries are imported when
it is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from squarely.evaluate import Evaluation, register_renderers

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from squarely.compare import Comparison
    from squarely.diagnose import Diagnosis
    from squarely.evaluate import Told
    from squarely.slices import Slices

__all__: list[str] = []


def _markdown(evaluation: Evaluation) -> str:
    from squarely.report import markdown
    from squarely.report.build import build
    from squarely.report.finding import diagnosed
    from squarely.report.report import SHOWN_GROUPS

    return markdown.render(build(evaluation, most_groups=SHOWN_GROUPS, diagnosis=diagnosed(evaluation)))


def _html(evaluation: Evaluation) -> str:
    from squarely.report import html
    from squarely.report.build import build
    from squarely.report.finding import diagnosed
    from squarely.report.report import SHOWN_GROUPS

    return html.render(build(evaluation, most_groups=SHOWN_GROUPS, diagnosis=diagnosed(evaluation)))


def _to_dict(evaluation: Evaluation) -> dict[str, Any]:
    from squarely.report import json
    from squarely.report.build import build
    from squarely.report.finding import diagnosed

    return json.document(build(evaluation, diagnosis=diagnosed(evaluation)))


def _diagnosis_html(found: Diagnosis) -> str:
    from squarely.report import html
    from squarely.report.build import build
    from squarely.report.report import SHOWN_GROUPS

    return html.render(build(found.evaluation, most_groups=SHOWN_GROUPS, diagnosis=found))


def _comparison_markdown(found: Comparison) -> str:
    from squarely.report import comparison

    return comparison.as_markdown(found)


def _comparison_html(found: Comparison) -> str:
    from squarely.report import comparison

    return comparison.as_html(found)


def _slices_html(found: Slices) -> str:
    from squarely.report import slices

    return slices.as_html(found)


def _told_html(told: Told) -> str:
    from squarely.report import told as page

    return page.as_html(told)


def _write(contents: Mapping[Path, bytes]) -> None:
    from squarely.report.writing import write_files

    write_files(contents)


register_renderers(
    markdown=_markdown,
    html=_html,
    to_dict=_to_dict,
    diagnosis_html=_diagnosis_html,
    comparison_markdown=_comparison_markdown,
    comparison_html=_comparison_html,
    slices_html=_slices_html,
    told_html=_told_html,
    write=_write,
)
