"""Files that the command line writes: all or none, under their names only when they are whole, and never over what is read."""

from __future__ import annotations

import csv
import json
import os
import shutil
import stat
from pathlib import Path
from typing import Any, ClassVar

import pytest

from commanding import EXAMPLES, called, names_in, ran
from squarely.errors import DataError
from squarely.report import writing

PATIENTS = ("--target", "actual", "--prediction", "linear,ridge", "--by", "sex")
HERE = ["diabetes.csv", "houses.csv"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the examples."""
    for name in HERE:
        shutil.copy(EXAMPLES / name, tmp_path)
    return tmp_path


def document(*arguments: object, folder: Path) -> dict[str, Any]:
    done = called(*arguments, "--format", "json", folder=folder)
    assert done.code == 0, done.err
    answer: dict[str, Any] = json.loads(done.out)
    return answer


def cut(folder: Path, name: str, rows: slice) -> None:
    """Write some rows of the patients into a file of their own."""
    header, *lines = (folder / "diabetes.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    (folder / name).write_text(header + "".join(lines[rows]), encoding="utf-8")


# --- states -------------------------------------------------------------------------------------------------------


def test_a_saved_state_shows_the_same_answers(folder: Path) -> None:
    asked = document("evaluate", "diabetes.csv", *PATIENTS, "--save-state", "all.sqs", "--one-pass", "--ci", "none", folder=folder)
    shown = document("show", "all.sqs", folder=folder)
    for part in ("metrics", "models", "groups", "verdict"):
        assert shown[part] == asked[part]
    assert shown["provenance"]["digest"] == asked["provenance"]["digest"]
    assert shown["provenance"]["rows"] == 442
    later = document("show", "all.sqs", "--metrics", "kge", folder=folder)
    assert [row["label"] for row in later["metrics"]] == ["kge"]


def test_merged_halves_are_the_whole(folder: Path) -> None:
    cut(folder, "first.csv", slice(None, 200))
    cut(folder, "second.csv", slice(200, None))
    for name in ("diabetes", "first", "second"):
        assert called("evaluate", f"{name}.csv", *PATIENTS, "-s", f"{name}.sqs", folder=folder).code == 0
    done = called("merge", "first.sqs", "second.sqs", "-o", "merged.sqs", folder=folder)
    assert (done.code, done.out, done.err) == (0, "", "merged.sqs: 442 rows of 2 states, 2 groups\n")
    assert (folder / "merged.sqs").read_bytes() == (folder / "diabetes.sqs").read_bytes()
    whole, merged = (document("show", name, folder=folder) for name in ("diabetes.sqs", "merged.sqs"))
    assert merged["provenance"]["digest"] == whole["provenance"]["digest"]
    assert merged["groups"] == whole["groups"]


def test_a_running_total_may_replace_itself(folder: Path) -> None:
    called("evaluate", "houses.csv", "-s", "day.sqs", folder=folder)
    shutil.copy(folder / "day.sqs", folder / "total.sqs")
    done = called("merge", "total.sqs", "day.sqs", "--output", "total.sqs", folder=folder)
    assert (done.code, done.err) == (0, "total.sqs: 10 rows of 2 states\n")
    assert document("show", "total.sqs", "-m", "mse", folder=folder)["metrics"][0]["values"][0] == {
        "model": "predicted", "value": 220.0, "reason": None, "se": None, "ci": None, "doubt": None, "n": 10, "coverage": 1.0, "best": False,
    }  # fmt: skip


# --- reports ------------------------------------------------------------------------------------------------------


def test_a_report_is_one_page(folder: Path) -> None:
    done = called("evaluate", "houses.csv", "--report", "page.html", folder=folder)
    assert done.code == 0
    assert done.err.splitlines()[-1] == "wrote page.html"
    assert done.out.startswith("predicted has an RMSE of 14.8")
    assert names_in(folder) == sorted([*HERE, "page.html"])
    page = (folder / "page.html").read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert page.rstrip().endswith("</html>")
    assert page.count("<html") == 1
    assert page.count("<svg") == 6
    assert page.count("<script") == 1
    assert 'value="14.832396974191326"' in page


def test_a_failed_gate_still_leaves_its_report(folder: Path) -> None:
    done = called("evaluate", "houses.csv", "-r", "page.html", "--fail-if", "mse > 1", folder=folder)
    assert done.code == 1
    assert (folder / "page.html").exists()


# --- all or none --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("-r", "nowhere/page.html", "-s", "sums.sqs"), "--report nowhere/page.html: there is no folder 'nowhere'. Create it first."),
        (("-r", "page.html", "-s", "taken"), "--save-state taken: this is a folder. Name a file."),
        (("-r", "same", "-s", "./same"), "--save-state same: --report names this file too. Name another file."),
        (("-r", "houses.csv"), "--report houses.csv: this file holds what is read. Name another file."),
        (("-r", "link.csv"), "--report link.csv: this file holds what is read. Name another file."),
        (("-r", "pipe"), "--report pipe: this is a pipe or a device. Name a file."),
        (("-r", ""), "--report .: this is a folder. Name a file."),
        (("-r", "x" * 300), "cannot be written (File name too long). Name another file."),
    ],
)
def test_files_that_cannot_be_written_are_refused_first(folder: Path, arguments: tuple[str, ...], words: str) -> None:
    (folder / "taken").mkdir()
    (folder / "link.csv").symlink_to("houses.csv")
    os.mkfifo(folder / "pipe")
    before = names_in(folder)
    done = called("evaluate", "houses.csv", *arguments, folder=folder)
    assert (done.code, done.out) == (2, "")
    assert words in done.sentence
    assert names_in(folder) == before
    assert (folder / "houses.csv").read_bytes() == (EXAMPLES / "houses.csv").read_bytes()


def test_a_pattern_protects_each_of_its_files(folder: Path) -> None:
    shutil.copy(folder / "houses.csv", folder / "houses_2.csv")
    done = called("evaluate", "houses*.csv", "--save-state", "houses_2.csv", folder=folder)
    assert done.code == 2
    assert done.sentence == "--save-state houses_2.csv: this file holds what is read. Name another file."


def test_an_error_leaves_files_as_they_were(folder: Path) -> None:
    (folder / "bad.csv").write_text("y,pred\n1,x\n", encoding="utf-8")
    for name in ("page.html", "sums.sqs"):
        (folder / name).write_text("old", encoding="utf-8")
    before = names_in(folder)
    done = called("evaluate", "bad.csv", "-r", "page.html", "-s", "sums.sqs", folder=folder)
    assert done.code == 2
    assert names_in(folder) == before
    assert [(folder / name).read_text(encoding="utf-8") for name in ("page.html", "sums.sqs")] == ["old", "old"]


def test_no_file_appears_before_all_are_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = []

    def full(handle: int, mode: str) -> Any:
        opened.append(handle)
        if len(opened) == 2:
            os.close(handle)
            raise OSError(28, "No space left on device")
        return open(handle, mode)

    (tmp_path / "a").write_bytes(b"old")
    monkeypatch.setattr(writing.os, "fdopen", full)
    with pytest.raises(DataError, match=r"b: cannot be written \(No space left on device\)"):
        writing.write_files({tmp_path / "a": b"new", tmp_path / "b": b"new"})
    assert names_in(tmp_path) == ["a"]
    assert (tmp_path / "a").read_bytes() == b"old"


def test_a_file_takes_its_name_when_it_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def replace(temporary: str, path: Path) -> None:
        seen.append((Path(temporary).read_bytes(), Path(temporary).parent == path.parent, path.exists()))
        os.rename(temporary, path)

    monkeypatch.setattr(writing.os, "replace", replace)
    writing.write_files({tmp_path / "a": b"all of it"})
    assert seen == [(b"all of it", True, False)]
    assert names_in(tmp_path) == ["a"]


class Disk:
    """A file on a disk that takes so many bytes of what is written at a time, and then has no room."""

    takes: ClassVar[list[int]] = []

    def __init__(self, path: Path, mode: str, buffering: int) -> None:
        self.file = open(path, mode, buffering)  # noqa: SIM115

    def __enter__(self) -> Disk:
        return self

    def __exit__(self, *error: object) -> None:
        self.file.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.file, name)

    def write(self, content: bytes) -> int:
        if not self.takes:
            raise OSError(28, "No space left on device")
        return self.file.write(content[: self.takes.pop(0)])


@pytest.mark.parametrize("takes", [[], [3], [1, 1, 1]])
@pytest.mark.parametrize("there", [True, False])
def test_a_file_that_is_added_to_is_as_it_was_where_there_is_no_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there: bool, takes: list[int]
) -> None:
    """No other file takes its name either."""
    if there:
        (tmp_path / "summary.md").write_bytes(b"before")
    monkeypatch.setattr(Disk, "takes", list(takes))
    monkeypatch.setattr(writing, "open", Disk, raising=False)
    with pytest.raises(DataError, match=r"summary.md: cannot be written \(No space left on device\)"):
        writing.write_files({tmp_path / "a": b"new"}, {tmp_path / "summary.md": b"after"})
    assert names_in(tmp_path) == (["summary.md"] if there else [])
    if there:
        assert (tmp_path / "summary.md").read_bytes() == b"before"


def test_what_is_added_goes_on_after_a_short_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Disk, "takes", [1, 2, 99, 1, 99])
    monkeypatch.setattr(writing, "open", Disk, raising=False)
    for content in (b"one\n", b"two\n"):
        writing.write_files({}, {tmp_path / "summary.md": content})
    assert (tmp_path / "summary.md").read_bytes() == b"one\n\ntwo\n"


# --- permissions and links ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o027, 0o640), (0o077, 0o600)])
def test_the_umask_is_respected(folder: Path, umask: int, mode: int) -> None:
    done = ran("evaluate", "houses.csv", "-r", "page.html", "-s", "sums.sqs", folder=folder, umask=umask)
    assert done.code == 0
    assert [stat.S_IMODE((folder / name).stat().st_mode) for name in ("page.html", "sums.sqs")] == [mode, mode]


def test_a_private_file_stays_private_and_a_link_a_link(folder: Path) -> None:
    (folder / "private.html").write_text("old", encoding="utf-8")
    (folder / "private.html").chmod(0o600)
    (folder / "latest.html").symlink_to("private.html")
    assert called("evaluate", "houses.csv", "-r", "latest.html", folder=folder).code == 0
    assert (folder / "latest.html").is_symlink()
    assert (folder / "private.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    assert stat.S_IMODE((folder / "private.html").stat().st_mode) == 0o600


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_nobody_may_write_into(folder: Path) -> None:
    (folder / "closed").mkdir(mode=0o500)
    done = called("evaluate", "houses.csv", "-r", "closed/page.html", folder=folder)
    assert done.code == 2
    assert "nothing can be written into the folder" in done.sentence
    assert names_in(folder / "closed") == []


def test_csv_that_is_written_can_be_read_again(folder: Path) -> None:
    """What goes into a file by way of standard output is a table that squarely reads."""
    done = called("evaluate", "diabetes.csv", *PATIENTS, "-f", "csv", folder=folder)
    rows = list(csv.DictReader(done.out.splitlines()))
    assert {(row["sex"], row["model"], row["metric"]) for row in rows} >= {("sex_1", "linear", "rmse"), ("sex_2", "ridge", "mse")}
    (folder / "answers.csv").write_text(done.out, encoding="utf-8")
    assert document("evaluate", "answers.csv", "-t", "value", "-p", "value", "-m", "mse", folder=folder)["metrics"][0]["values"][0]["value"] == 0.0
