"""Gates of a pipeline: where they hold, what they say, and what they leave for programs and for the page of a job."""

from __future__ import annotations

import itertools
import math
import os
import re
import shutil
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import squarely as sq
from commanding import EXAMPLES, Done, called, names_in, ran
from squarely.cli.gate import Gate, LimitGate, Verdict, gate_of
from squarely.cli.pipeline import junit
from squarely.evaluate import Evaluation, evaluation_of, questions_of

MODELS = ("linear", "ridge", "boosting")
LABELS = ("rmse", "r2", "medae", "bias", "mean_pinball_loss(alpha=0.9)")
PARTS = ("", ".low", ".high", ".se")
HOLDS = {">": lambda a, b: a > b, ">=": lambda a, b: a >= b, "<": lambda a, b: a < b, "<=": lambda a, b: a <= b}
HOUSES = ("evaluate", "houses.csv")
PATIENTS = ("evaluate", "diabetes.csv", "-t", "actual", "-p", "linear,ridge,boosting")
HOSTILE = {
    "the end of a section": "a]]>b",
    "markup": "<script>alert(1)</script>",
    "quotes": """it's "so-called" `code`""",
    "an entity": "a&lt;b&#0;",
    "control characters": "".join(map(chr, (*range(1, 32), *range(127, 160)))),
    "no characters": "a\ufffeb\uffffc",
    "planes": "\U0001fffe\U0001f600\U0010ffff",
    "lines": "two\nlines\r\nand a\ttab",
    "a terminal": "\x1b[31mred\x1b]0;title\x07",
    "backwards": "\u202egnp.exe",
    "a table": "a|b | --- |",
    "long": "n" * 10_000,
}
FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # by XML 1.0, section 2.2
FORGED = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2028\u2029]")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the examples, and no page of a job."""
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    for name in ("houses.csv", "diabetes.csv"):
        shutil.copy(EXAMPLES / name, tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def patients() -> Evaluation:
    return sq.evaluate(EXAMPLES / "diabetes.csv", target="actual", prediction=MODELS, metrics=LABELS)


def part_of(evaluation: Evaluation, label: str, part: str, model: str) -> float:
    """The number that a gate reads, as Python has it."""
    answer = evaluation[label, model]
    return {"": answer.value, ".low": answer.ci[0], ".high": answer.ci[1], ".se": answer.se}[part]


def judged(text: str, evaluation: Evaluation) -> list[Verdict]:
    return list(gate_of(text).judge(evaluation))


def failures(done: Done) -> list[str]:
    return [line.removeprefix("failed: ") for line in done.err.splitlines() if line.startswith("failed: ")]


def gated(*gates: str) -> list[str]:
    return [word for gate in gates for word in ("--fail-if", gate)]


# --- where a gate holds -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("label", LABELS)
@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("sign", HOLDS)
def test_a_gate_fails_where_its_sign_holds(patients: Evaluation, label: str, part: str, sign: str) -> None:
    values = [part_of(patients, label, part, model) for model in MODELS]
    assert all(map(math.isfinite, values))
    for limit in (*values, *(math.nextafter(value, end) for value in values for end in (-math.inf, math.inf)), -1e9, 1e9):
        for text in (f"{label}{part} {sign} {limit!r}", f" {label}{part}{sign}{limit!r} "):
            verdicts = judged(text, patients)
            assert [verdict.model for verdict in verdicts] == list(MODELS)
            assert [verdict.passed for verdict in verdicts] == [not HOLDS[sign](value, limit) for value in values]
            assert {verdict.gate for verdict in verdicts} == {text}


@pytest.mark.parametrize("label", LABELS)
@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("sign", HOLDS)
def test_the_number_in_a_sentence_never_belies_it(patients: Evaluation, label: str, part: str, sign: str) -> None:
    """59.0738 is more than 59.0738 only where digits are left out."""
    for model, away in itertools.product(MODELS, (-math.inf, 0.0, math.inf)):
        value = part_of(patients, label, part, model)
        limit = value if away == 0 else math.nextafter(value, away)
        (verdict,) = (each for each in judged(f"{label}{part} {sign} {limit!r}", patients) if each.model == model)
        assert HOLDS[sign](float(verdict.value), limit) is not verdict.passed
        if verdict.failure is not None:
            told = re.search(rf" of {model} is (\S+), which is {re.escape(sign)} {re.escape(repr(limit))}( |$)", verdict.failure)
            assert told
            assert told[1] == verdict.value


def test_sentences(folder: Path) -> None:
    gates = ["rmse > 55.5", "rmse.high > 59.5", "r2.low<0.403", "r2.low >= 0.4029", "rmse.se >= 1.74", "mean_pinball_loss(alpha=0.9).high > 1"]
    done = called(*PATIENTS[:-1], "boosting", "-m", "rmse", *gated(*gates), folder=folder)
    assert done.code == 1
    *others, last = failures(done)
    assert others == [
        "rmse of boosting is 55.9282, which is > 55.5 (95 % interval 52.8 to 59.8)",
        "the upper end of the 95 % interval of rmse of boosting is 59.8, which is > 59.5 (rmse is 55.9282, 95 % interval 52.8 to 59.8)",
        "the lower end of the 95 % interval of r2 of boosting is 0.40, which is < 0.403 (r2 is 0.472509, 95 % interval 0.40 to 0.53)",
        "the lower end of the 95 % interval of r2 of boosting is 0.402965, which is >= 0.4029 (r2 is 0.472509, 95 % interval 0.40 to 0.53)",
        "the standard error of rmse of boosting is 1.74076, which is >= 1.74 (rmse is 55.9282, 95 % interval 52.8 to 59.8)",
    ]
    assert last.startswith("the upper end of the 95 % interval of mean_pinball_loss(alpha=0.9) of boosting is ")


def test_a_doubtful_interval_says_so(folder: Path) -> None:
    done = called(*HOUSES, "--confidence", "0.9", *gated("rmse.high > 15"), folder=folder)
    (sentence,) = failures(done)
    assert sentence.startswith("the upper end of the 90 % interval of rmse of predicted is ")
    assert sentence.endswith("; there are 5 rows: with fewer than 20 an interval is rough)")


def test_a_gate_counts_for_every_model(folder: Path, patients: Evaluation) -> None:
    ends = {model: patients["rmse", model].ci[1] for model in MODELS}
    limit = sorted(ends.values())[1]
    done = called(*PATIENTS, *gated(f"rmse.high >= {limit!r}"), folder=folder)
    failed = [re.search(r"interval of rmse of (\w+) is", sentence) for sentence in failures(done)]
    assert done.code == 1
    assert [found and found[1] for found in failed] == [model for model in MODELS if ends[model] >= limit]
    assert len(failed) == 2


@pytest.mark.parametrize("gate", ["medae > 1000", "medae.high > 1000", "mase(scale='linear') > 9", "mse.high > 1e9"])
def test_what_a_gate_asks_is_asked_of_the_data(folder: Path, gate: str) -> None:
    """A metric that was not named with --metrics is kept by the pass, and stands in the report."""
    asked = (*PATIENTS, "-m", "rmse", "-f", "csv")
    done = called(*asked, *gated(gate), folder=folder)
    assert (done.code, done.err) == (0, "")
    label = re.split(r"\.high| >", gate)[0]
    assert [line.split(",")[1] for line in done.out.splitlines()[1:]] == ["rmse"] * 3 + [label] * 3
    twice = called(*asked, *gated("root_mean_squared_error < 1"), folder=folder)
    assert twice.out == called(*asked, folder=folder).out


# --- intervals that are not there ---------------------------------------------------------------------------------


def absent() -> dict[str, tuple[Evaluation, str]]:
    """Evaluations whose r2 has no interval, and why."""
    y, p = [1.0, 2.0, 4.0, 8.0], [1.0, 3.0, 4.0, 7.0]
    whole = sq.evaluate(y, p, metrics=["r2"])
    return {
        "not asked for": (sq.evaluate(y, p, metrics=["r2"], ci="none"), "no interval was asked for"),
        "saved sums": (evaluation_of(whole.table, "a.sqs", questions_of(["r2"])), "no interval was asked for"),
        "few rows": (sq.evaluate(y[:2], p[:2], metrics=["r2"]), "there are too few rows"),
        "one cluster": (sq.evaluate(y, p, metrics=["r2"], cluster=[1, 1, 1, 1]), "all rows are of one cluster"),
        "no value": (sq.evaluate([5.0, 5.0], [5.0, 6.0], metrics=["r2"]), "r2 is nan: the target is constant: its variance is 0"),
        "perfect": (sq.evaluate(y, y, metrics=["r2"]), "the value is the best there is, and no row says how it varies"),
    }


@pytest.mark.parametrize("kind", ["not asked for", "saved sums", "few rows", "one cluster", "no value", "perfect"])
def test_what_is_not_known_fails_with_the_reason(kind: str) -> None:
    evaluation, reason = absent()[kind]
    for part, sign, limit in itertools.product(PARTS[1:], HOLDS, ("-1e300", "1e300")):
        (verdict,) = judged(f"r2{part} {sign} {limit}", evaluation)
        assert not verdict.passed
        assert verdict.value == "not known"
        assert verdict.failure is not None
        assert verdict.failure.endswith(f" of r2 of {evaluation.models[0]} is not known ({reason}), so it cannot be judged")


def test_an_infinite_value_is_judged() -> None:
    evaluation = sq.evaluate([1e308, -1e308], [-1e308, 1e308], metrics=["mse"])
    assert math.isinf(evaluation["mse"].value)
    assert [judged(f"mse {sign} 1e300", evaluation)[0].passed for sign in HOLDS] == [False, False, True, True]


# --- gates that cannot be read ------------------------------------------------------------------------------------

EXPECTED = (
    "Expected a metric, one of > >= < <=, and a number, such as 'rmse > 60'. A metric may have .low, .high or .se after it: 'rmse.high > 60'. "
    "The name of a check, such as SQ012, fails where it finds something."
)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "--fail-if '' cannot be read. "),
        ("rmse.high", "--fail-if 'rmse.high' cannot be read. "),
        ("rmse == 3", "--fail-if 'rmse == 3' cannot be read. "),
        ("rmse.high > much", "--fail-if 'rmse.high > much': the limit 'much' is no finite number. "),
        ("rmse.high > 1e999", "--fail-if 'rmse.high > 1e999': the limit '1e999' is no finite number. "),
        ("rmse.hihg > 3", "--fail-if 'rmse.hihg > 3': there is no part '.hihg' of an answer. Did you mean '.high'? "),
        ("rmse.Low > 3", "--fail-if 'rmse.Low > 3': there is no part '.Low' of an answer. Did you mean '.low'? "),
        ("rmse.xyz > 3", "--fail-if 'rmse.xyz > 3': there is no part '.xyz' of an answer. "),
        ("nrms.high > 3", "--fail-if 'nrms.high > 3': there is no metric 'nrms'. Did you mean 'nrmse'? "),
        ("mean_pinball_loss(alpha=0.9 > 3", "--fail-if 'mean_pinball_loss(alpha=0.9 > 3': cannot read the metric 'mean_pinball_loss(alpha=0.9'. "),
        ("mean_pinball_loss(alpha=9).se > 3", "--fail-if 'mean_pinball_loss(alpha=9).se > 3': "),
        ("rmse > 3 > 2", "--fail-if 'rmse > 3 > 2': there is no metric 'rmse > 3'. "),
        ("x" * 10_000, f"--fail-if '{'x' * 60}' (cut, 10,000 characters) cannot be read. "),
        ("SQ12", "--fail-if 'SQ12' cannot be read. "),
        ("sq012", "--fail-if 'sq012' cannot be read. "),
        ("SQ012 > 1", "--fail-if 'SQ012 > 1': there is no metric 'SQ012'. "),
    ],
)
def test_a_mistyped_gate_says_what_was_expected(folder: Path, text: str, words: str) -> None:
    done = called("evaluate", "nowhere.csv", *gated("rmse > 60", text), folder=folder)
    assert (done.code, done.out) == (2, "")
    assert done.sentence.startswith(words)
    assert done.sentence.endswith(EXPECTED)
    assert len(done.sentence) < 800


def test_a_check_that_there_is_not_is_refused(folder: Path) -> None:
    done = called("evaluate", "nowhere.csv", *gated(" SQ999 "), folder=folder)
    assert (done.code, done.out) == (2, "")
    assert done.sentence.startswith("--fail-if ' SQ999 ': there is no such check. The checks are SQ001, SQ002, ")


def test_a_gate_on_a_check_fails_where_it_finds_something() -> None:
    rng = np.random.default_rng(0)
    y = rng.normal(20, 3, 500)
    evaluation = sq.evaluate(y, {"good": y + rng.normal(size=500), "off": y + 2 + rng.normal(size=500)})
    good, off = judged("SQ001", evaluation)
    assert good.passed
    assert good.value == "not found"
    assert off.failure is not None
    assert off.failure.startswith("SQ001 of off: predictions are off by a constant (share of the MSE that is a constant offset: 0.")
    assert all("not said to lie in order" in str(each.failure) for each in judged("SQ012", evaluation))  # what cannot be judged fails


def test_settings_may_hold_signs_brackets_and_dots(patients: Evaluation) -> None:
    gate = gate_of("skill_score(baseline='a.high > 1) <= b').low<0.1")
    assert isinstance(gate, LimitGate)
    assert (gate.question.parameters, gate.part, gate.sign, gate.limit) == ({"baseline": "a.high > 1) <= b"}, "low", "<", 0.1)
    (first, *_) = judged("skill_score(baseline='ridge') . high >= -9", patients)
    assert not first.passed


def test_intervals_that_are_left_out_cannot_be_judged(folder: Path) -> None:
    done = called("evaluate", "nowhere.csv", "--ci", "none", *gated("rmse > 1", "r2.low < 0.5"), folder=folder)
    assert (done.code, done.out) == (2, "")
    assert done.sentence == (
        "--fail-if 'r2.low < 0.5' reads an interval, and --ci none leaves intervals out. Leave out --ci none, or judge the value: 'rmse > 60'."
    )
    assert called(*HOUSES, "--ci", "none", *gated("rmse > 15"), folder=folder).code == 0


def test_a_kind_of_gate_is_a_class() -> None:
    """What is to be written for one more kind: how it is read, and how it judges."""
    assert Gate.__abstractmethods__ == {"read", "judge"}


# --- JUnit --------------------------------------------------------------------------------------------------------


def suite(path: Path) -> ElementTree.Element:
    """The only test suite of a file."""
    (found,) = ElementTree.parse(path).getroot().iter("testsuite")
    return found


def test_junit_has_a_case_for_each_gate_and_model(folder: Path, patients: Evaluation) -> None:
    gates = ["rmse  >  55.5", "r2.low < 0.1", "mean_pinball_loss(alpha=0.9).se > 0"]
    done = called(*PATIENTS, "--junit", "gates.xml", *gated(*gates), folder=folder)
    assert done.code == 1
    assert "wrote gates.xml" in done.err.splitlines()
    found = suite(folder / "gates.xml")
    cases = list(found)
    assert [(case.tag, case.get("classname"), case.get("name")) for case in cases] == [
        ("testcase", model, gate) for gate in gates for model in MODELS
    ]
    failed = [case for case in cases if case.find("failure") is not None]
    assert [(case.get("classname"), case.get("name")) for case in failed] == [
        ("boosting", gates[0]),
        *((model, gates[2]) for model in MODELS),
    ]
    assert [case.find("failure").get("message") for case in failed] == failures(done)  # type: ignore[union-attr]
    assert {name: found.get(name) for name in ("name", "tests", "failures", "errors")} == {
        "name": "squarely", "tests": "9", "failures": "4", "errors": "0",
    }  # fmt: skip


@pytest.mark.parametrize(("gates", "code"), [(["rmse > 60"], 0), (["rmse > 1"], 1)])
def test_junit_whatever_the_gates_say(folder: Path, gates: list[str], code: int) -> None:
    assert called(*HOUSES, "--junit", "gates.xml", *gated(*gates), folder=folder).code == code
    assert suite(folder / "gates.xml").get("failures") == str(code)
    assert names_in(folder) == ["diabetes.csv", "gates.xml", "houses.csv"]


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_names_in_xml(folder: Path, kind: str) -> None:
    name = HOSTILE[kind]
    pq.write_table(pa.table({"y": [1.0, 3.0, 4.0], f"p{name}": [2.0, 6.0, 4.0], f"q{name}": [1.0, 3.0, 5.0]}), folder / "t.parquet")
    gate = f"skill_score(baseline={f'q{name}'!r}) < 9"
    line = ("evaluate", "t.parquet", "-t", "y", "-p", f"p{name}", "-p", f"q{name}", "--junit", "gates.xml")
    done = called(*line, *gated("mse > 0", "r2.se > 0", gate), folder=folder)
    assert done.code == 1
    text = (folder / "gates.xml").read_text(encoding="utf-8")
    assert not FORBIDDEN.search(text)
    assert not FORGED.search(text)
    assert "<script" not in text
    cases = list(suite(folder / "gates.xml"))
    assert len({(case.get("classname"), case.get("name")) for case in cases}) == 6
    assert {child.tag for case in cases for child in case} == {"failure"}
    if kind in ("the end of a section", "markup", "quotes", "an entity", "planes", "a table", "long"):
        assert [case.get("classname") for case in cases[:2]] == [f"p{name}", f"q{name}"]
        assert cases[5].get("name") == gate


def test_any_character_in_xml() -> None:
    """All there are, in every place that takes words."""
    for start in range(0, 0x110000, 0x2000):
        words = "".join(map(chr, range(start, start + 0x2000)))
        parsed = ElementTree.fromstring(junit([Verdict(words, words, "1", words)]))
        (case,) = parsed.iter("testcase")
        assert not FORBIDDEN.search("".join([*case.attrib.values(), *case.itertext()]))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--junit", "gates.xml"), "--junit gates.xml: there are no gates to write. Name one, such as --fail-if 'rmse > 60', or leave out --junit."),
        (("--junit", "nowhere/gates.xml", *gated("rmse > 60")), "--junit nowhere/gates.xml: there is no folder 'nowhere'. Create it first."),
        (("--junit", "a", "-r", "a", *gated("rmse > 60")), "--junit a: --report names this file too. Name another file."),
        (("--junit", "houses.csv", *gated("rmse > 60")), "--junit houses.csv: this file holds what is read. Name another file."),
    ],
)
def test_junit_is_refused_before_the_data_are_read(folder: Path, arguments: tuple[str, ...], words: str) -> None:
    (folder / "houses.csv").write_text("actual,predicted\n1,x\n", encoding="utf-8")
    before = names_in(folder)
    done = called(*HOUSES, *arguments, folder=folder)
    assert (done.code, done.out, done.sentence) == (2, "", words)
    assert names_in(folder) == before


# --- the page of a job --------------------------------------------------------------------------------------------


def test_the_summary_is_appended(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(folder / "summary.md"))
    done = called(*PATIENTS, "-m", "rmse", "-b", "sex", "--step-summary", *gated("rmse.high > 59.5", "rmse > 60"), folder=folder)
    assert done.code == 1
    once = (folder / "summary.md").read_text(encoding="utf-8")
    report, _, table = once.partition("\n## Gates\n\n")
    assert report.startswith("# diabetes.csv: regression report\n\n**")
    assert {"## Groups", "## Notes", "## Provenance"} <= set(report.splitlines())
    assert table.splitlines()[:8] == [
        "| gate | model | value | result |",
        "| --- | --- | ---: | --- |",
        "| rmse.high &gt; 59.5 | linear | 59.1 | passed |",
        "| rmse.high &gt; 59.5 | ridge | 59.1 | passed |",
        "| rmse.high &gt; 59.5 | boosting | 59.8 | **FAILED** |",
        "| rmse &gt; 60 | linear | 55.1978 | passed |",
        "| rmse &gt; 60 | ridge | 55.2813 | passed |",
        "| rmse &gt; 60 | boosting | 55.9282 | passed |",
    ]
    (sentence,) = failures(done)
    assert table.splitlines()[9:] == [f"- {sentence.replace('>', '&gt;')}"]
    assert called(*PATIENTS, "-m", "rmse", "-b", "sex", "--step-summary", folder=folder).code == 0
    twice = (folder / "summary.md").read_text(encoding="utf-8")
    assert twice.startswith(f"{once}\n# diabetes.csv: regression report\n")
    assert twice.count("## Gates") == 1


@pytest.mark.parametrize(("before", "between"), [("", ""), ("before\n", "\n"), ("<details>before</details>", "\n\n")])
def test_what_is_in_the_summary_stays(folder: Path, monkeypatch: pytest.MonkeyPatch, before: str, between: str) -> None:
    (folder / "real.md").write_text(before, encoding="utf-8")
    (folder / "real.md").chmod(0o640)
    (folder / "summary.md").symlink_to("real.md")
    inode = (folder / "real.md").stat().st_ino
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "summary.md")
    done = called(*HOUSES, "--step-summary", folder=folder)
    assert done.code == 0
    assert "added to summary.md" in done.err.splitlines()
    assert (folder / "real.md").read_text(encoding="utf-8").startswith(f"{before}{between}# houses.csv: regression report\n")
    assert (folder / "summary.md").is_symlink()
    assert (folder / "real.md").stat().st_ino == inode  # others that have it open go on writing to the same file


@pytest.mark.parametrize("value", [None, ""])
def test_a_summary_needs_its_file(folder: Path, monkeypatch: pytest.MonkeyPatch, value: str | None) -> None:
    if value is not None:
        monkeypatch.setenv("GITHUB_STEP_SUMMARY", value)
    done = called("evaluate", "nowhere.csv", "--step-summary", folder=folder)
    assert (done.code, done.out) == (2, "")
    assert done.err.splitlines() == [
        "error: --step-summary adds to the file that the environment variable GITHUB_STEP_SUMMARY names, and it is not set. "
        "Run this in a step of GitHub Actions, or set it to the name of a file."
    ]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("nowhere/summary.md", "there is no folder 'nowhere'. Create it first."),
        ("houses.csv", "this file holds what is read. Name another file."),
        ("page.html", "--report names this file too. Name another file."),
        (".", "this is a folder. Name a file."),
        ("pipe", "this is a pipe or a device. Name a file."),
    ],
)
def test_a_summary_that_cannot_be_written_is_refused_first(folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, words: str) -> None:
    os.mkfifo(folder / "pipe")
    (folder / "houses.csv").write_text("actual,predicted\n1,x\n", encoding="utf-8")
    before = names_in(folder)
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", name)
    done = called(*HOUSES, "-r", "page.html", "--step-summary", folder=folder)
    assert (done.code, done.out, done.sentence) == (2, "", f"GITHUB_STEP_SUMMARY {name}: {words}")
    assert names_in(folder) == before


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write everywhere")
def test_permissions_of_a_summary(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "closed").mkdir()
    summary = folder / "closed" / "summary.md"
    summary.write_text("before\n", encoding="utf-8")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    (folder / "closed").chmod(0o500)
    assert called(*HOUSES, "--step-summary", folder=folder).code == 0  # adding to a file takes no room in its folder
    summary.chmod(0o400)
    done = called("evaluate", "houses.csv", "--step-summary", folder=folder)
    assert (done.code, done.out) == (2, "")
    assert done.sentence == f"GITHUB_STEP_SUMMARY {summary}: nothing can be written into this file. Name another file."


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_names_in_a_summary(folder: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    name = HOSTILE[kind]
    pq.write_table(pa.table({"y": [1.0, 3.0], f"p{name}": [2.0, 6.0]}), folder / "t.parquet")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "summary.md")
    gates = gated("mse > 0", "r2.se > 0")
    assert called("evaluate", "t.parquet", "-t", "y", "-p", f"p{name}", "-m", "mse,r2", "--step-summary", *gates, folder=folder).code == 1
    summary = (folder / "summary.md").read_text(encoding="utf-8")
    assert not FORGED.search(summary)
    assert "<script" not in summary
    table = summary.partition("\n## Gates\n\n")[2].splitlines()
    assert [len(re.findall(r"(?<!\\)\|", line)) for line in table] == [5] * 4 + [0] * 3
    assert [line[:2] for line in table[5:]] == ["- "] * 2


# --- all or none --------------------------------------------------------------------------------------------------

FILES = ("-r", "page.html", "-s", "sums.sqs", "--junit", "gates.xml", "--step-summary")


@pytest.mark.parametrize(("line", "code"), [((*HOUSES, "--fail-if", "mse > 1e3"), 0), ((*HOUSES, "--fail-if", "mse > 1"), 1)])
def test_every_file_is_there_whatever_the_gates_say(folder: Path, monkeypatch: pytest.MonkeyPatch, line: tuple[str, ...], code: int) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "summary.md")
    assert called(*line, *FILES, folder=folder).code == code
    assert names_in(folder) == ["diabetes.csv", "gates.xml", "houses.csv", "page.html", "summary.md", "sums.sqs"]


@pytest.mark.parametrize("fault", ["data", "gate", "column"])
def test_an_error_leaves_no_file(folder: Path, monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "summary.md")
    (folder / "summary.md").write_text("before", encoding="utf-8")
    if fault == "data":
        (folder / "houses.csv").write_text("actual,predicted\n1,x\n", encoding="utf-8")
    gate = {"data": "mse > 1", "gate": "mse.hgih > 1", "column": "mase(scale='nowhere') > 1"}[fault]
    before = names_in(folder)
    done = called(*HOUSES, *FILES, *gated(gate), folder=folder)
    assert (done.code, done.out) == (2, "")
    assert names_in(folder) == before
    assert (folder / "summary.md").read_text(encoding="utf-8") == "before"


# --- exit codes ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("gates", "code"),
    [
        (["rmse.high > 60"], 0), (["rmse.high > 26.9", "rmse.high > 99"], 1), (["rmse.high > 99", "rmse.se > 0"], 1),
        (["r2.low < 0.9"], 0), (["r2.low < 0.92"], 1), (["rmse.top > 1"], 2), (["rmse.high > 1", "rmse.top > 1"], 2),
    ],
)  # fmt: skip
def test_exit_codes(folder: Path, gates: list[str], code: int) -> None:
    done = ran(*HOUSES, *gated(*gates), folder=folder)
    assert done.code == code
    assert bool(failures(done)) == (code == 1)
    assert "Traceback" not in done.err


def test_help_shows_a_gate_on_an_interval(folder: Path) -> None:
    words = re.sub(r"[\s│]+", " ", called("evaluate", "--help", folder=folder).out)
    for part in ("rmse.high > 60", "--junit", "--step-summary"):
        assert part in words
