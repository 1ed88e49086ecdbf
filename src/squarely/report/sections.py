"""The sections of a page that are made of figures: what each shows, and what is to be seen in it."""

from __future__ import annotations

from dataclasses import dataclass

from squarely.report import calibration, concentration, figures, quantiles, succession
from squarely.report.drawing import Drawing, rows_words, unit_words
from squarely.report.panel import Panel, Worst
from squarely.report.report import Report, one_line

__all__ = ["Block", "Section", "sections"]


@dataclass(frozen=True, slots=True)
class Block:
    """What a section shows of one model; ``at`` is its place in ``Report.models``, and ``among`` says of which rows ``worst`` are."""

    at: int
    model: str
    words: tuple[str, ...]
    drawings: tuple[Drawing, ...]
    worst: tuple[Worst, ...] = ()
    number: str = "row"
    among: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """A section with figures: its anchor, its heading, what is to be seen, and how it is made."""

    ident: str
    heading: str
    lead: str
    blocks: tuple[Block, ...]
    note: str = ""

    @property
    def is_flat(self) -> bool:
        """Whether each model has one figure and nothing else: then they stand side by side."""
        return all(len(block.drawings) == 1 and not block.words and not block.worst for block in self.blocks)


def sections(report: Report) -> tuple[Section, ...]:
    """Return the sections that show rows; none where there is no row to draw."""
    panels = [(report.models.index(panel.model), panel) for panel in report.panels]
    if not panels:
        return ()
    made = [_calibration(report, panels), _residuals(panels), _concentration(report, panels), _order(report, panels)]
    return tuple(section for section in made if section.blocks)


def _calibration(report: Report, panels: list[tuple[int, Panel]]) -> Section:
    blocks = []
    for at, panel in panels:
        words = calibration.line_words(*report.lines[at], report.interval_name) if report.lines else ()
        drawn = figures.draw_fit(panel, f"p{at}"), calibration.draw(panel, f"p{at}")
        blocks.append(Block(at, panel.model, words, drawn))
    lead = f"Are predictions right on average, where they are low and where they are high? {_drawn(panels)}"
    return Section("calibration", "Calibration", lead, tuple(blocks), calibration.band_words(panels[0][1]))


def _residuals(panels: list[tuple[int, Panel]]) -> Section:
    blocks = [
        Block(at, panel.model, (), tuple(draw(panel, f"p{at}") for draw in (figures.draw_residuals, figures.draw_spread, quantiles.draw)))
        for at, panel in panels
    ]
    lead = f"Errors of a model that missed nothing have no pattern, no shift, and no far tails. {_drawn(panels)}"
    return Section("residuals", "Residuals", lead, tuple(blocks))


def _concentration(report: Report, panels: list[tuple[int, Panel]]) -> Section:
    blocks = []
    for at, panel in panels:
        if panel.shares:
            number = "row" if panel.in_line else "row of its file"
            among = concentration.among(panel, intervals=report.confidence is not None)
            blocks.append(Block(at, panel.model, (), (concentration.draw(panel, f"p{at}"),), panel.worst, number, among))
    told = [f"{100 * (panel.worst_tenth or 0.0):.0f}\N{NO-BREAK SPACE}% ({one_line(panel.model, 40)})" for _, panel in panels[:4] if panel.shares]
    if len(panels) == 1:
        told = [each.partition(" (")[0] for each in told]
    worst = f"The worst tenth of the {unit_words(panels[0][1])} carries {', '.join(told)} of the squared error"
    lead = f"{worst}; of normal errors it carries 44\N{NO-BREAK SPACE}%."
    return Section("concentration", "Concentration", f"{lead} {_drawn(panels)}", tuple(blocks))


def _order(report: Report, panels: list[tuple[int, Panel]]) -> Section:
    blocks = [Block(at, panel.model, (), (succession.draw(panel, f"p{at}"),)) for at, panel in panels if panel.blocks]
    if report.way == "order":
        lead = "Does a model grow worse, or drift, from the first row to the last?"
    else:
        lead = "Does the error change with the place of a row in the data? This says something only if rows lie in an order, such as that of time."
    return Section("order", "Over order", f"{lead} {_drawn(panels)}", tuple(blocks))


def _drawn(panels: list[tuple[int, Panel]]) -> str:
    """Say how many rows are drawn; where models differ in it, of which."""
    words = {rows_words(panel) for _, panel in panels}
    if len(words) == 1:
        return words.pop()
    return " ".join(f"{one_line(panel.model, 40)}: {rows_words(panel)}" for _, panel in panels[:4])
