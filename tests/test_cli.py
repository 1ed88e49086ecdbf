"""The command line as a user meets it: what it prints, where it prints it, and how it exits."""

from __future__ import annotations

import csv
import io
import json
import math
import os
import re
import shutil
import subprocess
from collections import Counter
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from commanding import EXAMPLES, called, command, environment, names_in, ran
from squarely import METRICS

# Five houses: errors -10, 10, 20, -20, 10; the prices deviate from their mean 300 by -50, 0, -120, 120, 50.
HOUSES = {
    "mse": 220.0,
    "rmse": math.sqrt(220),
    "mae": 14.0,
    "bias": 2.0,
    "max_error": 20.0,
    "r2": float(1 - Fraction(1100, 33800)),
    "explained_variance": float(1 - Fraction(216, 6760)),
}
MODELS = ("linear", "ridge", "boosting")
ASKED = ("--target", "actual", "--prediction", "linear,ridge", "--prediction", "boosting")
GUESSES = ["target: 'actual', by its name; --target chooses another", "prediction: 'predicted', by name; --prediction chooses others"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the examples."""
    for name in ("houses.csv", "diabetes.csv"):
        shutil.copy(EXAMPLES / name, tmp_path)
    return tmp_path


def patients() -> list[dict[str, str]]:
    return list(csv.DictReader((EXAMPLES / "diabetes.csv").read_text(encoding="utf-8").splitlines()))


def mse(rows: list[dict[str, str]], model: str) -> float:
    """The mean squared error of some patients, by exact fractions."""
    return float(sum((Fraction(float(row[model])) - Fraction(float(row["actual"]))) ** 2 for row in rows) / len(rows))


def values(document: dict[str, Any]) -> dict[tuple[str, str], float]:
    """Values of a JSON report by label and model."""
    return {(row["label"], each["model"]): each["value"] for row in document["metrics"] for each in row["values"]}


def as_json(*arguments: object, folder: Path) -> dict[str, Any]:
    done = called(*arguments, "--format", "json", folder=folder)
    assert done.code == 0, done.err
    document: dict[str, Any] = json.loads(done.out)
    return document


# --- what is printed ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["table", "json", "markdown", "csv"])
def test_houses_in_every_format(folder: Path, form: str) -> None:
    done = ran("evaluate", "houses.csv", "--format", form, folder=folder)
    assert (done.code, done.err.splitlines()) == (0, GUESSES)
    assert "--target chooses" not in done.out
    assert "\x1b" not in done.out
    if form == "json":
        got = {label: value for (label, model), value in values(json.loads(done.out)).items() if model == "predicted"}
    elif form == "csv":
        got = {row["metric"]: float(row["value"]) for row in csv.DictReader(io.StringIO(done.out))}
    else:
        for label, value in HOUSES.items():
            shown = re.escape(f"{value:.6g}")
            line = rf"^{label} +{shown} " if form == "table" else rf"\({re.escape(label).replace('_', '._')}\) \|.*\| {shown} \| [^|]+ \|$"
            assert re.search(line, done.out, re.MULTILINE), (line, done.out)
        return
    assert {label: got[label] for label in HOUSES} == pytest.approx(HOUSES, rel=1e-15)
    assert got["rmse"] == 14.832396974191326


@pytest.mark.parametrize("form", ["table", "json", "markdown", "csv"])
def test_three_models_in_every_format(folder: Path, form: str) -> None:
    done = ran("evaluate", "diabetes.csv", *ASKED, "--format", form, folder=folder)
    assert (done.code, done.err) == (0, "")
    assert "\x1b" not in done.out
    expected = {model: mse(patients(), model) for model in MODELS}
    if form == "json":
        assert {model: values(json.loads(done.out))["mse", model] for model in MODELS} == pytest.approx(expected, rel=1e-15)
    elif form == "csv":
        rows = [row for row in csv.DictReader(io.StringIO(done.out)) if row["metric"] == "mse"]
        assert {row["model"]: float(row["value"]) for row in rows} == pytest.approx(expected, rel=1e-15)
    else:
        (line,) = (line for line in done.out.splitlines() if re.match(r"mse |\| Mean squared error", line))
        places = [line.index(f"{expected[model]:.6g}") for model in MODELS]
        assert places == sorted(places)
        assert re.search(rf"{expected['linear']:.6g}\*\*|{expected['linear']:.6g} \*", line)  # the smallest is marked


def test_groups_by_commas_or_by_repeated_options(folder: Path) -> None:
    asked = ("evaluate", "diabetes.csv", *ASKED, "--metrics", "mse")
    commas = as_json(*asked, "--by", "sex,age_band", folder=folder)["groups"]
    repeated = as_json(*asked, "-b", "sex", "-b", "age_band", folder=folder)["groups"]
    assert commas == repeated
    assert commas["by"] == ["sex", "age_band"]
    assert {tuple(row["key"]): row["n"] for row in commas["rows"]} == Counter((row["sex"], row["age_band"]) for row in patients())
    for row in commas["rows"]:
        members = [each for each in patients() if [each["sex"], each["age_band"]] == row["key"]]
        got = {each["model"]: each["value"] for each in row["metrics"][0]["values"]}
        assert got == pytest.approx({model: mse(members, model) for model in MODELS}, rel=1e-15)


def test_a_column_with_a_comma_in_its_name(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text('y,"p,q","a,b"\n1,2,x\n3,6,z\n', encoding="utf-8")
    document = as_json("evaluate", "t.csv", "-p", "p,q", "-b", "a,b", "-m", "mse", folder=tmp_path)
    assert values(document) == {("mse", "p,q"): 5.0}
    assert {row["key"][0]: row["metrics"][0]["values"][0]["value"] for row in document["groups"]["rows"]} == {"x": 1.0, "z": 9.0}


def test_metrics_with_settings(folder: Path) -> None:
    got = values(as_json("evaluate", "houses.csv", "--metrics", "mean_pinball_loss(alpha=0.9),rmse", "-m", " mae ", folder=folder))
    # Targets less predictions are 10, -10, -20, 20, -10: 0.9 of what is above 0, 0.1 of what is below.
    expected = {"mean_pinball_loss(alpha=0.9)": (9 + 1 + 2 + 18 + 1) / 5, "rmse": math.sqrt(220), "mae": 14.0}
    assert {label: value for (label, _), value in got.items()} == pytest.approx(expected, rel=1e-15)


def test_all_metrics_and_one_more(folder: Path) -> None:
    rows = as_json("evaluate", "houses.csv", "--metrics", "all,mean_pinball_loss(alpha=0.9)", folder=folder)["metrics"]
    names = Counter(row["name"] for row in rows)
    assert names.pop("mean_pinball_loss") == 2
    assert set(names) == {name for name, metric in METRICS.items() if metric.answers_on_sums} - {"mean_pinball_loss"}
    assert set(names.values()) == {1}


@pytest.mark.parametrize(
    "arguments", [("evaluate", "houses.csv", "--metrics", "nrms"), ("metrics", "nrms"), ("evaluate", "houses.csv", "--fail-if", "nrms > 1")]
)
def test_an_unknown_metric_offers_the_nearest(folder: Path, arguments: tuple[str, ...]) -> None:
    done = called(*arguments, folder=folder)
    assert (done.code, done.out) == (2, "")
    where = "--fail-if 'nrms > 1': " if "--fail-if" in arguments else ""
    assert done.sentence.startswith(f"{where}there is no metric 'nrms'. Did you mean 'nrmse'?")


def test_metrics_are_listed_and_explained(folder: Path) -> None:
    listed = called("metrics", folder=folder)
    assert {line.split()[0] for line in listed.out.splitlines()[1:]} == set(METRICS)
    explained = called("metrics", "nrmse", folder=folder)
    assert explained.out.startswith("normalized_root_mean_squared_error, nrmse, rsr,")
    assert {"Parameters", "Returns", "Raises", "References", "Examples"} <= set(explained.out.splitlines())


@pytest.mark.parametrize(
    ("name", "example"),
    [
        ("evaluate", "squarely evaluate predictions.csv"),
        ("show", "squarely show monday.sqs"),
        ("merge", "squarely merge monday.sqs tuesday.sqs -o week.sqs"),
        ("metrics", "squarely metrics nrmse"),
    ],
)
def test_help_shows_examples(folder: Path, name: str, example: str) -> None:
    assert name in called("--help", folder=folder).out
    done = called(name, "--help", folder=folder)
    assert done.code == 0
    assert example in done.out


def test_a_pattern_that_the_shell_expanded(folder: Path) -> None:
    done = called("evaluate", "houses.csv", "diabetes.csv", folder=folder)
    assert (done.code, done.out) == (2, "")
    assert done.sentence == "2 files were given where one was expected. Name a folder, or put a pattern between quotes: 'days/*.parquet'."


def test_version(folder: Path) -> None:
    done = called("--version", folder=folder)
    assert (done.code, done.err) == (0, "")
    assert re.fullmatch(r"squarely \d+\.\d+\.\d+\n", done.out)


# --- gates --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("gates", "code"),
    [
        (["rmse > 14.8"], 1), (["rmse > 14.9"], 0), (["mse > 220"], 0), (["mse >= 220"], 1), (["r2<0.9"], 0), (["r2 <= 0.99"], 1),
        (["rmse > 99", "mean_pinball_loss(alpha=0.9) > 6"], 1), (["bias > -1e3"], 1),
        (["rmse"], 2), (["rmse > "], 2), (["rmse > x"], 2), (["rmse > nan"], 2), (["rmse > inf"], 2),
        (["rmse == 3"], 2), (["rmse => 3"], 2), ([""], 2),
    ],
)  # fmt: skip
def test_gates(folder: Path, gates: list[str], code: int) -> None:
    done = called("evaluate", "houses.csv", *(word for gate in gates for word in ("--fail-if", gate)), folder=folder)
    assert done.code == code
    if code == 2:
        assert done.out == ""
        assert "Expected a metric, one of > >= < <=, and a number, such as 'rmse > 60'." in done.sentence
    else:
        assert "rmse" in done.out
        assert ("failed: " in done.err) == (code == 1)


def test_a_gate_fails_for_any_model_and_for_nan(folder: Path) -> None:
    limit = (mse(patients(), "ridge") + mse(patients(), "boosting")) / 2
    done = called("evaluate", "diabetes.csv", *ASKED, "--fail-if", f"mse > {limit!r}", folder=folder)
    failed = [line for line in done.err.splitlines() if line.startswith("failed: ")]
    assert (done.code, len(failed)) == (1, 1)
    assert "mse of boosting is" in failed[0]
    (folder / "constant.csv").write_text("y,pred\n5,5\n5,6\n", encoding="utf-8")
    done = called("evaluate", "constant.csv", "--fail-if", "r2 < 0.5", folder=folder)
    assert done.code == 1
    assert re.search(r"failed: r2 of pred is nan \(.*constant.*\), so it cannot be judged", done.err)


# --- terminals, pipes and full disks ------------------------------------------------------------------------------


def test_a_narrow_terminal(folder: Path) -> None:
    pty = pytest.importorskip("pty")
    ours, theirs = pty.openpty()
    line = command("evaluate", "diabetes.csv", *ASKED, "--by", "sex")
    with subprocess.Popen(line, cwd=folder, stdin=theirs, stdout=theirs, stderr=subprocess.PIPE, env=environment(COLUMNS="40")) as process:
        os.close(theirs)
        seen = b""
        while True:
            try:
                more = os.read(ours, 65536)
            except OSError:  # how Linux says that the other side is closed
                break
            if not more:
                break
            seen += more
        assert process.stderr is not None
        assert process.stderr.read() == b""
    os.close(ours)
    assert process.returncode == 0
    assert b"\x1b[" in seen  # a terminal has colours
    plain = re.sub(r"\x1b\[[0-9;]*m", "", seen.decode()).replace("\r", "")
    assert max(map(len, plain.splitlines())) <= 40
    for model in MODELS:
        assert f"{mse(patients(), model):.6g}" in plain


@pytest.mark.parametrize(("unbuffered", "gate", "code"), [("", "mse > 2", 0), ("1", "mse > 0.5", 1)])
def test_a_reader_that_has_seen_enough(tmp_path: Path, unbuffered: str, gate: str, code: int) -> None:
    rows = "".join(f"{row},{row + 1},g{row}\n" for row in range(2000))
    (tmp_path / "t.csv").write_text(f"y,pred,g\n{rows}", encoding="utf-8")
    line = command("evaluate", "t.csv", "--by", "g", "--format", "json", "--fail-if", gate)
    with subprocess.Popen(
        line, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(PYTHONUNBUFFERED=unbuffered)
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == b"{\n"
        process.stdout.close()
        said = process.stderr.read().decode().splitlines()
    assert process.returncode == code  # of the gate: that the pipe was closed is no failure
    assert [line.partition(":")[0] for line in said] == ["target", "prediction", "failed"][: 2 + code]


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("arguments", [("evaluate", "houses.csv"), ("evaluate", "houses.csv", "-f", "csv"), ("metrics",), ("--help",)])
def test_a_full_disk(folder: Path, arguments: tuple[str, ...], unbuffered: str) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full")
    with open("/dev/full", "w") as full:
        done = ran(*arguments, folder=folder, stdout=full, env=environment(PYTHONUNBUFFERED=unbuffered))
    assert done.code == 2
    assert "No space left on device" in done.sentence
    assert "Traceback" not in done.err


@pytest.mark.parametrize(("closed", "code"), [(">&-", 0), ("2>&-", 0), ("2>/dev/full", 0), ("--fail-if 'mse>1' 2>&-", 1)])
def test_a_stream_that_is_closed(folder: Path, closed: str, code: int) -> None:
    if shutil.which("sh") is None or not Path("/dev/full").exists():
        pytest.skip("there is no such shell")
    line = ["sh", "-c", f'"$@" {closed}', "sh", *command("evaluate", "houses.csv")]
    done = subprocess.run(line, cwd=folder, env=environment(), capture_output=True, check=False, timeout=60)
    assert done.returncode == code
    assert b"Traceback" not in done.stderr
    assert names_in(folder) == ["diabetes.csv", "houses.csv"]
