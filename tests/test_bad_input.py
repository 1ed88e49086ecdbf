"""Bad data get one sentence: which file, which column, which row, and the cure; and nothing is written."""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import squarely as sq
from commanding import called, names_in
from squarely.errors import DataError, StateError, UnknownMetricError
from squarely.state import GramState, codec

NAN, INF = float("nan"), float("inf")
GOOD = "y,pred\n1,2\n3,5\n"
OUTPUTS = ("--report", "page.html", "--save-state", "sums.sqs")
Make = Callable[[Path], object]


def text(content: str | bytes, name: str = "t.csv") -> Make:
    """Return what writes a file."""
    return lambda folder: (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())


def parquet(keep: float = 1.0, **columns: Sequence[Any]) -> Make:
    """Return what writes a Parquet file, or the first part of one."""

    def make(folder: Path) -> None:
        pq.write_table(pa.table(dict(columns)), folder / "t.parquet")
        whole = (folder / "t.parquet").read_bytes()
        (folder / "t.parquet").write_bytes(whole[: int(len(whole) * keep)])

    return make


def nothing(folder: Path) -> None:
    """Write nothing."""


# What is written, the path that is asked for, what is asked besides target y and prediction pred, parts of the sentence.
CASES: dict[str, tuple[Make, str, dict[str, str], Sequence[str]]] = {
    "no such file": (text(GOOD), "tt.csv", {}, ["tt.csv: no such file. Did you mean 't.csv'?"]),
    "no such folder": (nothing, "no/t.csv", {}, ["no/t.csv: no such file, and no folder 'no'. Check the path."]),
    "an address": (nothing, "https://x.org/t.csv", {}, ["https://x.org/t.csv: this is an address. Save the data as a file first"]),
    "standard input": (nothing, "-", {}, ["-: standard input is not read. Save the data as a file first"]),
    "a pipe": (lambda folder: os.mkfifo(folder / "t.csv"), "t.csv", {}, ["t.csv: this is a pipe or a device. Save the data as a file"]),
    "an empty folder": (lambda folder: (folder / "d").mkdir(), "d", {}, ["d: the folder holds no data file. Expected at least one file ending in"]),
    "a pattern of nothing": (text(GOOD), "u*.csv", {}, ["u*.csv: no file matches this pattern. Expected at least one file ending in"]),
    "an unknown ending": (text(GOOD, "t.xlsx"), "t.xlsx", {}, ["t.xlsx: the ending '.xlsx' is not a known format. Expected one of .parquet"]),
    "an empty file": (text(""), "t.csv", {}, ["t.csv: the file is empty (0 bytes). Expected a table with a header"]),
    "a header only": (text("y,pred\n"), "t.csv", {}, ["t.csv: the table has column names but no rows. Expected at least one row"]),
    "cut Parquet": (parquet(0.7, y=[1.0], pred=[2.0]), "t.parquet", {}, ["t.parquet: cannot be read as Parquet", "copy the file again."]),
    "semicolons": (text("y;pred\n1,5;2,5\n"), "t.csv", {}, ["t.csv: the header 'y;pred' has semicolons", "Write the table with commas."]),
    "tabs": (text("y\tpred\n1\t2\n"), "t.csv", {}, ["has tabs between its columns", "or end the name of the file in .tsv."]),
    "commas": (text(GOOD, "t.tsv"), "t.tsv", {}, ["t.tsv: the header 'y,pred' has commas", "Write the table with tabs."]),
    "Latin 1 in the header": (text(b"y,pred,gr\xf6\xdfe\n1,2,3\n"), "t.csv", {}, ["t.csv: the file is not encoded as UTF-8. Save it as UTF-8"]),
    "Latin 1 in a group": (text(b"y,pred,g\n1,2,\xe9\n"), "t.csv", {"by": "g"}, ["t.csv: the file is not encoded as UTF-8. Save it as UTF-8"]),
    "UTF-16": (text(GOOD.encode("utf-16")), "t.csv", {}, ["t.csv: the file is not encoded as UTF-8. Save it as UTF-8"]),
    "a short row": (text("y,pred\n1,2\n3\n"), "t.csv", {}, ["t.csv: row 2 has 1 cells where the header has 2. Correct that row"]),
    "text": (text("y,pred\n1,2\n3,high\n"), "t.csv", {}, ["t.csv: column 'pred', row 2 holds 'high' where a number was expected. Correct"]),
    "text in Parquet": (parquet(y=["1", "x"], pred=[1.0, 2.0]), "t.parquet", {}, ["t.parquet: column 'y', row 2 holds 'x'", "Correct that cell"]),
    "an unknown column": (text(GOOD), "t.csv", {"prediction": "prod"}, ["no column 'prod'. Did you mean 'pred'? The columns are 'y', 'pred'."]),
    "an unknown weight": (text(GOOD), "t.csv", {"weight": "yy"}, ["t.csv: there is no column 'yy'. Did you mean 'y'?"]),
    "an unknown group": (text(GOOD), "t.csv", {"by": "Pred"}, ["t.csv: there is no column 'Pred'. Did you mean 'pred'?"]),
    "a column twice": (text("y,p,p\n1,2,3\n"), "t.csv", {"prediction": "p"}, ["t.csv: the column name 'p' occurs 2 times", "Rename the columns"]),
    "a missing prediction": (text("y,pred\n1,2\n3,\n"), "t.csv", {}, ["t.csv: 1 of 2 rows", "a missing prediction", "row 2 of column 'pred'. Mend"]),
    "NaN as prediction": (parquet(y=[1.0, 2.0], pred=[NAN, 1.0]), "t.parquet", {}, ["a missing prediction, the first in row 1 of column 'pred'"]),
    "a missing target": (text("y,pred\n1,2\n,3\n"), "t.csv", {}, ["1 of 2 rows has a missing target", "row 2 of column 'y'", "omit_targets"]),
    "an infinite prediction": (text("y,pred\n1,inf\n"), "t.csv", {}, ["t.csv: 1 of 1 row", "an infinite prediction", "row 1 of column 'pred'. Mend"]),
    "an infinite target": (parquet(y=[1.0, -INF], pred=[1.0, 1.0]), "t.parquet", {}, ["an infinite target", "row 2 of column 'y'. Mend the data"]),
    "a negative weight": (text("y,pred,w\n1,2,1\n1,2,-1\n"), "t.csv", {"weight": "w"}, ["t.csv: the weight", "-1", "row 2", "set it to 0 to leave"]),
    "a missing weight": (text("y,pred,w\n1,2,1\n1,2,\n"), "t.csv", {"weight": "w"}, ["t.csv: the weight", "missing", "row 2", "0 leaves it out"]),
    "NaN as weight": (parquet(y=[1.0], pred=[1.0], w=[NAN]), "t.parquet", {"weight": "w"}, ["t.parquet: the weight", "nan", "row 1", "0 to leave"]),
    "no weight above 0": (text("y,pred,w\n1,2,0\n3,4,0\n"), "t.csv", {"weight": "w"}, ["t.csv", "all 2 weights", "are 0; expected at least one"]),
    "NaN as group": (
        parquet(y=[1.0, 2.0], pred=[1.0, 2.0], g=[0.5, NAN]), "t.parquet", {"by": "g"},
        ["t.parquet: the group column 'g' holds floating-point numbers and is NaN or missing in row 2. Cast the column"],
    ),
    "an unknown policy": (text(GOOD), "t.csv", {"nan_policy": "omti"}, ["nan_policy is 'omti'; expected one of 'raise', 'omit_targets', 'omit'"]),
    "a long metric": (text(GOOD), "t.csv", {"metrics": "x" * 100_000}, ["there is no metric 'xxx"]),
    "a metric that is a program": (text(GOOD), "t.csv", {"metrics": "rmse(a=open('x','w'))"}, ["cannot read the metric", "Expected a name"]),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_one_sentence_and_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str) -> None:
    make, path, asked, parts = CASES[case]
    make(tmp_path)
    before = names_in(tmp_path)
    options = [word for name, value in asked.items() for word in (f"--{name.replace('_', '-')}", value)]
    done = called("evaluate", path, *options, *OUTPUTS, folder=tmp_path)
    assert (done.code, done.out) == (2, "")
    for part in parts:
        assert part in done.sentence
    assert len(done.sentence) < 500
    assert names_in(tmp_path) == before

    monkeypatch.chdir(tmp_path)
    with pytest.raises((DataError, UnknownMetricError)) as caught:
        sq.evaluate(path, **{"target": "y", "prediction": "pred", **asked})
    assert str(caught.value) == done.sentence
    assert names_in(tmp_path) == before


@pytest.mark.parametrize(
    ("arguments", "keywords", "parts"),
    [
        (([1, 2, 3], [1, 2]), {}, ["'y_true' has 3 rows and 'y_pred' has 2", "one value per row"]),
        (([1, 2], {"a": [1, 2], "b": [1]}), {}, ["'y_true' has 2 rows and 'b' has 1"]),
        (([1, 2], [1, 2]), {"weight": [1]}, ["'y_true' has 2 rows and 'weight' has 1"]),
        (([1, 2], [1, 2]), {"by": ["a"]}, ["'y_true' has 2 rows and 'group' has 1"]),
        (([], []), {}, ["no rows", "at least one row"]),
        (([1, "x"], [1, 2]), {}, ["column 'y_true', row 2 holds 'x'"]),
        (([1, 2], [1, None]), {}, ["a missing prediction, the first in row 2 of column 'y_pred'"]),
        (([1, 2], [1, 2]), {"weight": [1, -0.5]}, ["the weight", "-0.5", "row 2"]),
        (([1, 2], [1, 2]), {"weight": [0, 0]}, ["all 2 weights", "at least one above 0"]),
        (([1, 2], [1, 2]), {"by": [0.5, NAN]}, ["group column 'group' holds floating-point numbers and is NaN or missing in row 2"]),
        (([1, 2], [1, 2]), {"by": (None, 0.5)}, ["NaN or missing in row 1"]),
        (([1j, 2], [1, 2]), {}, ["column 'y_true' has the type complex128 where numbers were expected"]),
    ],
)  # fmt: skip
def test_arrays_are_judged_by_the_same_rules(arguments: tuple[Any, Any], keywords: dict[str, Any], parts: list[str]) -> None:
    with pytest.raises(DataError) as caught:
        sq.evaluate(*arguments, **keywords)
    for part in parts:
        assert part in str(caught.value)


# --- states -------------------------------------------------------------------------------------------------------


def damaged(content: bytes, how: str) -> bytes:
    return {
        "cut short": content[:-40],
        "cut to its head": content[:10],
        "altered": content[:60] + bytes([content[60] ^ 1]) + content[61:],
        "empty": b"",
        "something else": GOOD.encode(),
        "a state of one model": sq.PairState.of([1.0], [2.0]).to_bytes(),
    }[how]


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("cut short", "are incomplete"), ("cut to its head", "not a squarely state"), ("altered", "checksum does not fit"),
        ("empty", "not a squarely state"), ("something else", "not a squarely state"), ("a state of one model", "a saved evaluation was expected"),
    ],
)  # fmt: skip
def test_damaged_states(tmp_path: Path, how: str, words: str) -> None:
    (tmp_path / "t.csv").write_text(GOOD, encoding="utf-8")
    assert called("evaluate", "t.csv", "-s", "good.sqs", folder=tmp_path).code == 0
    (tmp_path / "bad.sqs").write_bytes(damaged((tmp_path / "good.sqs").read_bytes(), how))
    before = names_in(tmp_path)
    for line in (("show", "bad.sqs", "-r", "page.html"), ("merge", "good.sqs", "bad.sqs", "-o", "sum.sqs"), ("merge", "bad.sqs", "-o", "sum.sqs")):
        done = called(*line, folder=tmp_path)
        assert (done.code, done.out) == (2, "")
        assert words in done.sentence
        assert done.sentence.count("bad.sqs") == 1
    assert names_in(tmp_path) == before
    with pytest.raises(StateError, match=words):
        type(sq.evaluate([1], [2]).table).from_bytes((tmp_path / "bad.sqs").read_bytes())


@pytest.mark.parametrize("kind", [sq.PairState, GramState, type(sq.evaluate([1], [2]).table)])
@pytest.mark.parametrize("given", ["text", 3, None, [1, 2]])
def test_what_are_no_bytes(kind: Any, given: Any) -> None:
    with pytest.raises(StateError, match=rf"the bytes are a {type(given).__name__}; expected bytes from to_bytes\(\)"):
        kind.from_bytes(given)


@pytest.mark.parametrize(
    ("options", "differs"),
    [
        (("-t", "pred", "-p", "y"), "target"), (("-t", "y", "-p", "w"), "prediction"), (("-t", "y", "-p", "pred", "-w", "w"), "weight"),
        (("-t", "y", "-p", "pred", "-b", "w"), "group column"), (("-t", "y", "-p", "pred", "--nan-policy", "omit"), "nan_policy"),
    ],
)  # fmt: skip
def test_states_of_different_columns_do_not_merge(tmp_path: Path, options: tuple[str, ...], differs: str) -> None:
    (tmp_path / "t.csv").write_text("y,pred,w\n1,2,3\n", encoding="utf-8")
    for name, asked in (("a.sqs", ("-t", "y", "-p", "pred")), ("b.sqs", options)):
        assert called("evaluate", "t.csv", *asked, "-s", name, folder=tmp_path).code == 0
    done = called("merge", "a.sqs", "b.sqs", "-o", "sum.sqs", folder=tmp_path)
    assert (done.code, done.out) == (2, "")
    assert done.sentence.startswith(f"b.sqs: the {differs} is ")
    assert done.sentence.endswith("Evaluate both alike.")
    assert not (tmp_path / "sum.sqs").exists()


def test_a_state_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "monday.sqs").write_bytes(b"")
    for line in (("show", "mondy.sqs"), ("merge", "mondy.sqs", "-o", "sum.sqs")):
        done = called(*line, folder=tmp_path)
        assert done.code == 2
        assert done.sentence == "mondy.sqs: no such file. Did you mean 'monday.sqs'?"


# --- missing values -----------------------------------------------------------------------------------------------

# Errors 1 and 3 are whole; one target and one prediction are missing.
HOLES = "y,pred\n1,2\n,5\n4,7\n8,\n"


@pytest.mark.parametrize(
    ("rows", "policy", "value", "n", "coverage"),
    [
        (HOLES, "omit", 5.0, 2, 0.5),
        (HOLES, "propagate", None, 2, 0.5),
        (HOLES[: HOLES.index("8")], "omit_targets", 5.0, 2, 2 / 3),
        (GOOD, "propagate", 2.5, 2, 1.0),
    ],
)
def test_policies(tmp_path: Path, rows: str, policy: str, value: float | None, n: int, coverage: float) -> None:
    (tmp_path / "t.csv").write_text(rows, encoding="utf-8")
    done = called("evaluate", "t.csv", "--nan-policy", policy, "-m", "mse", "-f", "json", folder=tmp_path)
    (got,) = json.loads(done.out)["metrics"][0]["values"]
    assert (done.code, got["value"], got["n"], got["coverage"]) == (0, value, n, coverage)
    assert (got["reason"] is None) == (value is not None)


def test_omit_targets_does_not_forgive_a_prediction(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(HOLES, encoding="utf-8")
    done = called("evaluate", "t.csv", "--nan-policy", "omit_targets", *OUTPUTS, folder=tmp_path)
    assert done.code == 2
    assert "1 of 4 rows has a missing prediction, the first in row 4 of column 'pred'" in done.sentence
    assert names_in(tmp_path) == ["t.csv"]


def test_a_column_judged_by_itself_has_no_error(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(GOOD, encoding="utf-8")
    done = called("evaluate", "t.csv", "-t", "y", "-p", "y", "-m", "mse,r2", "-f", "csv", "--ci", "none", folder=tmp_path)
    assert done.code == 0
    assert done.out.splitlines()[1:] == ["y,mse,0.0,2,1.0,", "y,r2,1.0,2,1.0,"]


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    for name in ("t.csv", "t.parquet", "t.sqs"):
        (tmp_path / name).write_text(GOOD, encoding="utf-8")
        (tmp_path / name).chmod(0)
    (tmp_path / "closed").mkdir(mode=0)
    for name in ("t.csv", "t.parquet", "t.sqs", "closed", "closed/t.csv"):
        done = called("show" if name == "t.sqs" else "evaluate", name, "-r", "page.html", folder=tmp_path)
        assert done.code == 2
        assert done.sentence.startswith(f"{name}: cannot be read (Permission denied).")
    assert names_in(tmp_path) == ["closed", "t.csv", "t.parquet", "t.sqs"]
    (tmp_path / "closed").chmod(0o700)


@pytest.mark.parametrize(
    "change",
    [
        {"models": [[1]]},
        {"weight": {}},
        {"nan_policy": "abc"},
        {"rows": -1},
        {"rows": "1"},
        {"groups": [[[]]]},
        {"by": ["g"]},
        {"models": []},
        {"target": None},
    ],
)
def test_a_head_that_squarely_did_not_write_is_refused(change: dict[str, object]) -> None:
    table = sq.evaluate([1.0], [2.0]).table
    body = codec.unwrap(codec.TABLE, table.to_bytes())
    (size,) = struct.unpack_from("<Q", body)
    head = json.dumps({**json.loads(body[8 : 8 + size]), **change}).encode()
    forged = codec.wrap(codec.TABLE, struct.pack("<Q", len(head)) + head + body[8 + size :])
    with pytest.raises(StateError, match="hold no evaluation that can be read"):
        type(table).from_bytes(forged)
