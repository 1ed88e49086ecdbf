"""What an evaluation leaves: files, all or none, then standard output."""

import shlex
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from pathlib import Path

from squarely.cli.gate import Verdict
from squarely.cli.output import say, write_out
from squarely.cli.pipeline import SUMMARY, gates_as_markdown, junit
from squarely.evaluate import Evaluation
from squarely.report.writing import check_files, write_files

__all__ = ["Format", "Outputs", "check_report", "command_line", "leave"]


class Format(StrEnum):
    """What standard output gets."""

    table = "table"
    json = "json"
    markdown = "markdown"
    csv = "csv"


@dataclass(frozen=True)
class Outputs:
    """What is asked for: the form of standard output, and files; ``summary`` is added to, the others are written."""

    form: Format
    report: Path | None = None
    save_state: Path | None = None
    junit: Path | None = None
    summary: Path | None = None

    def check(self, keep: Iterable[str | Path]) -> None:
        """Refuse files that could not be written or would replace what is read, before anything is read."""
        files = {"--report": self.report, "--save-state": self.save_state, "--junit": self.junit, SUMMARY: self.summary}
        check_files(files, keep=keep, added_to=[SUMMARY])

    def tell(self, evaluation: Evaluation, verdicts: Sequence[Verdict] = ()) -> None:
        """Write files, all or none, then standard output."""
        from squarely.report import csv, json, markdown, text
        from squarely.report.build import build
        from squarely.report.finding import diagnosed
        from squarely.report.report import SHOWN_GROUPS

        most = None if self.form in (Format.json, Format.csv) else SHOWN_GROUPS
        found = None if self.form is Format.csv and self.report is None else diagnosed(evaluation)
        told = build(evaluation, command=command_line(), most_groups=most, diagnosis=found)
        files: dict[Path, bytes] = {}
        if self.report is not None:
            from squarely.report import html  # not needed, and slow to load, where no page is asked for

            files[self.report] = html.render(told).encode()
        if self.save_state is not None:
            files[self.save_state] = evaluation.table.to_bytes()
        if self.junit is not None:
            files[self.junit] = junit(verdicts)
        added: dict[Path, bytes] = {}
        if self.summary is not None:
            pages = [markdown.render(told), *([gates_as_markdown(verdicts)] if verdicts else [])]
            added[self.summary] = "\n".join(pages).encode()
        write_files(files, added)
        try:
            if self.form is Format.table:
                write_out(lambda: text.printed(partial(text.render, told)))
            else:
                write_out(partial({"json": json, "markdown": markdown, "csv": csv}[self.form].render, told))
        finally:
            for path in files:
                say(f"wrote {path}")
            for path in added:
                say(f"added to {path}")


def command_line() -> str:
    """Return what was typed, so that a reader can run it again."""
    return f"squarely {shlex.join(sys.argv[1:])}"


def check_report(report: Path | None, *read: str | None) -> None:
    """Refuse a page that could not be written or would replace one of the files that are read, before anything is read."""
    if report is None:
        return
    from squarely.sources.files import open_path  # slow to load

    check_files({"--report": report}, keep=[path for file in read if file is not None for path in open_path(file).paths])


def leave(told: Callable[[], str], report: Path | None, page: Callable[[], str]) -> None:
    """Write the page where one is asked for, then standard output."""
    if report is not None:
        write_files({report: page().encode()})
    try:
        write_out(told)
    finally:
        if report is not None:
            say(f"wrote {report}")
