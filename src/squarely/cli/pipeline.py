"""What a pipeline reads of gates: JUnit XML for its list of tests, and Markdown for the page of its job."""

import os
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from pathlib import Path

from squarely.cli.gate import Gate, Verdict
from squarely.errors import DataError
from squarely.plain import escape, one_line
from squarely.report.markdown import table
from squarely.sources.refusals import shown

__all__ = ["SUMMARY", "check_gates", "gates_as_markdown", "junit", "summary_file"]

SUMMARY = "GITHUB_STEP_SUMMARY"
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, production 2
_LONGEST = 100_000  # a name that is cut could be that of another model


def check_gates(gates: Sequence[Gate], ci: str | None, junit_file: Path | None) -> None:
    """Refuse gates that nothing could answer, and a file of none, before the data are read."""
    if junit_file is not None and not gates:
        raise DataError(
            f"--junit {one_line(junit_file, 400)}: there are no gates to write. Name one, such as --fail-if 'rmse > 60', or leave out --junit."
        )
    for gate in gates:
        if ci == "none" and gate.reads_intervals:
            raise DataError(
                f"--fail-if {shown(gate.written)} reads an interval, and --ci none leaves intervals out. "
                "Leave out --ci none, or judge the value: 'rmse > 60'."
            )


def summary_file() -> Path:
    """Return the file that GitHub Actions shows on the page of a job; refuse where there is none."""
    name = os.environ.get(SUMMARY)
    if not name:
        raise DataError(
            f"--step-summary adds to the file that the environment variable {SUMMARY} names, and it is not set. "
            "Run this in a step of GitHub Actions, or set it to the name of a file."
        )
    return Path(name)


def junit(verdicts: Sequence[Verdict]) -> bytes:
    """Return JUnit XML: one suite, and in it a case for each gate and model.

    Examples
    --------
    >>> print(junit([Verdict("mse > 1", "ridge", "0.5")]).decode())
    <?xml version='1.0' encoding='utf-8'?>
    <testsuites>
      <testsuite name="squarely" tests="1" failures="0" errors="0" skipped="0" time="0">
        <testcase classname="ridge" name="mse &gt; 1" time="0" />
      </testsuite>
    </testsuites>
    <BLANKLINE>
    """
    failed = sum(not verdict.passed for verdict in verdicts)
    root = ElementTree.Element("testsuites")
    counts = {"tests": str(len(verdicts)), "failures": str(failed), "errors": "0", "skipped": "0", "time": "0"}
    suite = ElementTree.SubElement(root, "testsuite", {"name": "squarely", **counts})
    for verdict in verdicts:
        case = ElementTree.SubElement(suite, "testcase", {"classname": _in_xml(verdict.model), "name": _in_xml(verdict.gate), "time": "0"})
        if verdict.failure is not None:
            sentence = _in_xml(verdict.failure)
            failure = ElementTree.SubElement(case, "failure", {"message": sentence, "type": "gate"})
            failure.text = sentence  # some readers show the message, others the text
    ElementTree.indent(root)
    written: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return written + b"\n"


def _in_xml(words: str) -> str:
    """Return words that XML can hold: what cannot be seen as an escape, as everywhere, and without what is no character at all."""
    return _NO_XML.sub("", one_line(words, _LONGEST))


def gates_as_markdown(verdicts: Sequence[Verdict]) -> str:
    """Return a table of gates and models, and below it the sentences of those that failed."""
    rows = [
        (escape(verdict.gate, 200), escape(verdict.model), escape(verdict.value), "passed" if verdict.passed else "**FAILED**")
        for verdict in verdicts
    ]
    parts = ["## Gates", table(("gate", "model", "value", "result"), rows, "llrl")]
    failures = [f"- {escape(verdict.failure, 800)}" for verdict in verdicts if verdict.failure is not None]
    return "\n\n".join([*parts, "\n".join(failures)] if failures else parts) + "\n"
