"""Every input kind gives the same batches, and every refusal says where, what and the cure."""

import datetime
import decimal
import gzip
import json
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pytest

from squarely.errors import DataError
from squarely.sources import Wanted, arrays_source, delimited, open_source
from squarely.sources.arrow import column

Y = [1.5, 2.0, None, 4.25]
P = [1, 2, 3, 2**53 + 1]
G = ["a", "b", None, "a"]
WANTED = Wanted("y", ("p",), None, ("g",))
STRANGE = ["<script>alert(1)</script>", "line\nbreak", "😀", 'quote"d', "x" * 10_000]


def table():
    return pa.table({"y": pa.array(Y, pa.float64()), "p": pa.array(P, pa.int64()), "g": pa.array(G), "unused": ["q"] * 4})


def listed(column):
    valid = np.ones(column.values.size, bool) if column.valid is None else column.valid
    return [value if ok else None for value, ok in zip(column.values.tolist(), valid.tolist(), strict=True)]


def read(data, wanted=WANTED):
    """Return target, predictions, weight and keys of all parts, as Python lists, after checking the row numbers."""
    source = data if callable(getattr(data, "parts", None)) else open_source(data)
    target, predictions, weight, keys = [], [[] for _ in wanted.predictions], [], [[] for _ in wanted.by]
    follows = {}
    for part in source.parts(wanted):
        for batch in part():
            assert batch.start == follows.get(batch.where, 0)
            follows[batch.where] = batch.start + batch.target.values.size
            target += listed(batch.target)
            for into, of in zip(predictions, batch.predictions, strict=True):
                into += listed(of)
            weight += listed(batch.weight) if batch.weight is not None else []
            for into, key in zip(keys, batch.keys, strict=True):
                assert key.codes.dtype == np.int32
                into += [key.labels[code] for code in key.codes.tolist()]
    return target, predictions, weight, keys


def refusal(data, wanted=WANTED):
    with pytest.raises(DataError) as caught:
        read(data, wanted)
    text = str(caught.value)
    assert len(text) < 2000
    assert "\n" not in text
    return text


def write_csv(path, text):
    with (gzip.open if path.name.endswith("gz") else open)(path, "wt", encoding="utf-8", newline="") as file:
        file.write(text)
    return path


CSV = "y,p,g,unused\n1.5,1,a,q\n2.0,2,b,q\n,3,,q\n4.25,9007199254740993,a,q\n"
LINES = "".join(json.dumps(row) + "\n" for row in table().to_pylist())


def ipc_file(path):
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table().schema) as writer:
        writer.write_table(table(), max_chunksize=3)


def ipc_stream(path):
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_stream(sink, table().schema) as writer:
        writer.write_table(table())


WRITERS = {
    "t.csv": lambda path: write_csv(path, CSV),
    "t.csv.gz": lambda path: write_csv(path, CSV),
    "t.tsv": lambda path: write_csv(path, CSV.replace(",", "\t")),
    "t.jsonl": lambda path: path.write_text(LINES),
    "t.ndjson": lambda path: path.write_text(LINES),
    "t.json": lambda path: path.write_text(LINES),
    "t.jsonl.gz": lambda path: write_csv(path, LINES),
    "t.parquet": lambda path: pq.write_table(table(), path, row_group_size=3),
    "t.pq": lambda path: pq.write_table(table(), path, use_dictionary=False),
    "t.arrow": ipc_file,
    "t.ipc": ipc_stream,
    "t.feather": lambda path: feather.write_feather(table(), path),
}


@pytest.mark.parametrize("name", WRITERS)
def test_every_file_format_gives_the_same_rows(tmp_path, name):
    WRITERS[name](tmp_path / name)
    source = open_source(str(tmp_path / name))
    assert source.columns == ("y", "p", "g", "unused")
    assert source.name == str(tmp_path / name)
    assert read(source) == (Y, [P], [], [G])
    assert read(tmp_path / name) == (Y, [P], [], [G])


FRAMES = {
    "polars": lambda: pl.from_arrow(table()),
    "polars lazy": lambda: pl.from_arrow(table()).lazy(),
    "polars categorical": lambda: pl.from_arrow(table()).with_columns(pl.col("g").cast(pl.Categorical)),
    "pandas": lambda: pd.DataFrame({"y": pd.array(Y, "Float64"), "p": P, "g": G, "unused": [object()] * 4}),
    "pandas categorical": lambda: pd.DataFrame({"y": pd.array(Y, "Float64"), "p": P, "g": pd.Categorical(G), "unused": 0}),
    "pyarrow table": table,
    "pyarrow chunks": lambda: pa.concat_tables([table().slice(0, 1), table().slice(1)]),
    "pyarrow batch": lambda: table().to_batches()[0],
    "pyarrow reader": lambda: table().to_reader(max_chunksize=3),
    "pyarrow dictionary": lambda: table().set_column(2, "g", table()["g"].dictionary_encode()),
    "lists": lambda: {"y": Y, "p": P, "g": G},
    "arrays": lambda: {
        "y": np.ma.MaskedArray([1.5, 2.0, 0.0, 4.25], [0, 0, 1, 0]),
        "p": np.array(P),
        "g": np.ma.MaskedArray(["a", "b", "", "a"], [0, 0, 1, 0]),
    },
}


@pytest.mark.parametrize("kind", FRAMES)
def test_every_frame_gives_the_same_rows(kind):
    source = open_source(FRAMES[kind]())
    assert source.columns[:3] == ("y", "p", "g")
    assert read(source) == (Y, [P], [], [G])


def test_a_stream_is_read_once_and_says_so():
    source = open_source(table().to_reader())
    read(source)
    assert "has already been read" in refusal(source)


def test_a_duckdb_relation_streams():
    duckdb = pytest.importorskip("duckdb")
    frame = table()
    assert frame.num_rows == 4
    assert read(duckdb.sql("select * from frame")) == (Y, [P], [], [G])


@pytest.mark.parametrize("offset", [0, 1, 3, 7, 8, 9, 15])
@pytest.mark.parametrize(
    "kind",
    [pa.bool_(), pa.int8(), pa.uint8(), pa.int16(), pa.uint16(), pa.int32(), pa.uint32(), pa.int64(), pa.uint64(),
     pa.float16(), pa.float32(), pa.float64(), pa.decimal128(9, 2), pa.dictionary(pa.int8(), pa.int64())],
)  # fmt: skip
def test_slices_keep_values_and_missing_in_step(kind, offset):
    inner = pa.bool_() if pa.types.is_boolean(kind) else pa.int64() if pa.types.is_dictionary(kind) else kind
    values = [None if i % 5 == 3 else (i % 3 == 0 if inner == pa.bool_() else i) for i in range(40)]
    if pa.types.is_float16(inner):
        values = [None if value is None else np.float16(value) for value in values]
    array = pa.array(values, inner)
    array = array.dictionary_encode() if pa.types.is_dictionary(kind) else array
    assert listed(column(array.slice(offset, 21), "here", "y")) == values[offset : offset + 21]
    full = array.drop_null().slice(offset)
    assert column(full, "here", "y").valid is None
    assert listed(column(full, "here", "y")) == full.to_pylist()


def test_values_are_views_and_not_copies():
    array = pa.array(np.arange(10.0))
    view = column(array.slice(2), "here", "y").values
    assert view.__array_interface__["data"][0] == array.buffers()[1].address + 16


def test_a_column_of_nothing_is_all_missing():
    data = pa.table({"y": pa.nulls(3), "p": [1, 2, 3], "g": pa.nulls(3)})
    assert read(data) == ([None] * 3, [[1, 2, 3]], [], [[None] * 3])


def test_weights_several_models_and_several_groups():
    data = {"y": [1, 2], "a": [1.0, 2], "b": [3, 4.0], "w": [1, 0.5], "g": ["u", "v"], "h": [True, False]}
    wanted = Wanted("y", ("a", "b"), "w", ("g", "h"))
    expected = ([1, 2], [[1, 2], [3, 4]], [1, 0.5], [["u", "v"], [True, False]])
    assert read(data, wanted) == expected
    assert read(pa.table(data), wanted) == expected
    assert read(arrays_source([1, 2], {"a": [1, 2], "b": [3, 4]}, [1, 0.5], {"g": ["u", "v"], "h": [True, False]}),
                Wanted("y_true", ("a", "b"), "weight", ("g", "h"))) == expected  # fmt: skip


def test_arrays_source_names_its_columns():
    source = arrays_source(np.arange(3), np.arange(3.0), by=np.array([1, 2, 1]))
    assert source.wanted == Wanted("y_true", ("y_pred",), None, ("group",))
    assert read(source, source.wanted) == ([0, 1, 2], [[0, 1, 2]], [], [[1, 2, 1]])
    with pytest.raises(DataError, match="the name 'y_true' is used twice"):
        arrays_source([1], {"y_true": [1]})


def test_group_values_become_keys():
    moment = datetime.datetime(2024, 1, 5, 6, 7, 8, 500_000)
    for kind, values, keys in [
        (pa.int16(), [3, -1, None], [3, -1, None]),
        (pa.bool_(), [True, False, None], [True, False, None]),
        (pa.float64(), [0.5, 1.0, 0.5], [0.5, 1.0, 0.5]),
        (pa.date32(), [moment.date(), None, moment.date()], ["2024-01-05", None, "2024-01-05"]),
        (pa.timestamp("ns"), [moment, None, moment], ["2024-01-05T06:07:08.5", None, "2024-01-05T06:07:08.5"]),
        (pa.timestamp("us"), [datetime.datetime(2024, 1, 5)] * 3, ["2024-01-05T00:00:00"] * 3),
        (pa.decimal128(4, 2), [decimal.Decimal("1.20"), None, decimal.Decimal("2.00")], ["1.20", None, "2.00"]),
        (pa.string_view(), ["a", None, "b"], ["a", None, "b"]),
    ]:
        data = pa.table({"y": [1, 2, 3], "p": [1, 2, 3], "g": pa.array(values, kind)})
        assert read(data)[3] == [keys], kind
        assert read(data.slice(1))[3] == [keys[1:]], kind
    data = {"y": [1, 2], "p": [1, 2], "g": np.array(["2024-01-05", "NaT"], "datetime64[D]")}
    assert read(data)[3] == [["2024-01-05", None]]
    data["g"] = np.array([True, 1], object)
    assert [type(key) for key in read(data)[3][0]] == [bool, int]
    data["g"] = [float("nan"), "x"]
    assert read(data)[3] == [[None, "x"]]


def test_periods_are_no_numbers(tmp_path):
    frame = pd.DataFrame({"y": [1.0, 2.0], "p": pd.period_range("2024-01", periods=2, freq="M")})
    words = "column 'p' has the type period where numbers were expected. Cast the column to a number type, or choose another column."
    assert words in refusal(frame, Wanted("y", ("p",)))
    frame.to_parquet(tmp_path / "months.parquet")
    assert words in refusal(tmp_path / "months.parquet", Wanted("y", ("p",)))
    told = pa.field("p", pa.int64(), metadata={"ARROW:extension:name": "pandas.period"})  # what is read of such a file where pandas is not loaded
    plain = pa.table([[1.0, 2.0], [648, 649]], pa.schema([pa.field("y", pa.float64()), told]))
    assert words in refusal(plain, Wanted("y", ("p",)))
    other = plain.schema.field("p").with_metadata({"ARROW:extension:name": "made.of.meters"})
    assert read(plain.cast(pa.schema([plain.schema.field("y"), other])), Wanted("y", ("p",)))[1] == [[648, 649]]
    with pytest.raises(DataError, match="the type period where numbers were expected"):
        read(arrays_source(np.zeros(2), frame["p"]), Wanted("y_true", ("y_pred",)))


def test_times_with_a_zone_become_iso_text():
    moment = datetime.datetime(2024, 1, 5, 12, 0, 0, 250_000, datetime.UTC)
    for zone, key in [("UTC", "2024-01-05T12:00:00.25Z"), ("+05:30", "2024-01-05T17:30:00.25+05:30")]:
        data = pa.table({"y": [1], "p": [1], "g": pa.array([moment], pa.timestamp("us", zone))})
        assert read(data)[3] == [[key]]


def test_columns_of_python_objects():
    mixed = pd.DataFrame({"y": [1, 2.5], "p": [1, 2], "g": pd.Series(["a", 3], dtype=object)})
    assert read(mixed) == ([1, 2.5], [[1, 2]], [], [["a", 3]])
    mixed["y"] = pd.Series([1, "x"], dtype=object)
    assert "column 'y', row 2 holds 'x' where a number was expected" in refusal(mixed)
    assert read({"y": [decimal.Decimal("1.5"), None], "p": [1, 2], "g": ["a", 1]}) == ([1.5, None], [[1, 2]], [], [["a", 1]])


def test_series_in_a_mapping_keep_integers_and_missing_values():
    for y, p, g in [
        (pa.array([1, None]), pl.Series([2**53 + 1, None]), pl.Series(["a", None])),
        (pd.Series([1, None], dtype="Int64"), pd.Series([2**53 + 1, None], dtype="Int64"), pd.Series(["a", None])),
        (pl.Series([1, None]), pa.chunked_array([[2**53 + 1], [None]]), pd.Categorical(["a", None])),
    ]:
        assert read({"y": y, "p": p, "g": g}) == ([1, None], [[2**53 + 1, None]], [], [["a", None]])
    assert "row 2 holds 'x'" in refusal({"y": pl.Series(["1", "x"]), "p": [1, 2], "g": [1, 2]})


def test_equal_dictionaries_share_one_tuple_of_labels(tmp_path):
    rows = 1_100_000  # more than one batch
    data = pa.table({"y": np.zeros(rows), "p": np.zeros(rows), "g": [f"g{i % 1000}" for i in range(rows)]})
    pq.write_table(data, tmp_path / "t.parquet", row_group_size=rows)
    (part,) = open_source(tmp_path / "t.parquet").parts(WANTED)
    batches = list(part())
    assert len(batches) > 1
    assert len({id(batch.keys[0].labels) for batch in batches}) == 1


def test_parts_run_in_parallel(tmp_path):
    rows = 50_000
    data = pa.table({"y": np.arange(rows), "p": np.arange(rows) * 0.5, "g": np.arange(rows) % 7})
    pq.write_table(data, tmp_path / "t.parquet", row_group_size=1000)
    names = set()

    def total(part):
        names.add(threading.get_ident())
        return sum(int(batch.target.values.sum()) for batch in part())

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(total, open_source(tmp_path / "t.parquet").parts(WANTED))) == rows * (rows - 1) // 2


def test_folders_and_patterns(tmp_path):
    for year, region in [(2023, "n%2Fa"), (2024, "__HIVE_DEFAULT_PARTITION__")]:
        folder = tmp_path / f"year={year}" / f"region={region}"
        folder.mkdir(parents=True)
        pq.write_table(table(), folder / "part-0.parquet")
        (folder / "_SUCCESS").touch()
        (folder / ".part-0.parquet.crc").touch()
    wanted = Wanted("y", ("p",), None, ("year", "region"))
    keys = [[2023] * 4 + [2024] * 4, ["n/a"] * 4 + [None] * 4]
    assert open_source(tmp_path).columns == ("y", "p", "g", "unused", "year", "region")
    assert read(tmp_path, wanted) == (Y * 2, [P * 2], [], keys)
    assert read(str(tmp_path / "**" / "*.parquet"), wanted) == (Y * 2, [P * 2], [], keys)
    assert read(str(tmp_path / "year=2*"), wanted)[3] == keys
    assert "'year' is part of the folder names" in refusal(tmp_path, Wanted("year", ("p",)))


def test_files_that_disagree_are_named(tmp_path):
    write_csv(tmp_path / "a.csv", "y,p\n1,1\n")
    write_csv(tmp_path / "b.csv", "y,q\n1,1\n")
    assert f"{tmp_path / 'b.csv'}: there is no column 'p'" in refusal(tmp_path, Wanted("y", ("p",)))


def test_a_file_without_rows_is_fine_beside_one_with_rows(tmp_path):
    write_csv(tmp_path / "a.csv", "y,p\n")
    write_csv(tmp_path / "b.csv", "y,p\n1,2\n")
    assert read(tmp_path, Wanted("y", ("p",)))[:2] == ([1], [[2]])


@pytest.mark.parametrize("name", ["t.csv", "t.jsonl"])
def test_integers_that_become_fractions_or_appear_late_are_read_on(tmp_path, monkeypatch, name):
    monkeypatch.setattr(delimited, "BLOCK_BYTES", 4096)
    y = [2**53, *range(999), 0.5, 7]
    p = [None] * 600 + list(range(402))
    if name == "t.csv":
        write_csv(tmp_path / name, "y,p\n" + "".join(f"{a},{'' if b is None else b}\n" for a, b in zip(y, p, strict=True)))
    else:
        (tmp_path / name).write_text("".join(json.dumps({"y": a, "p": b}) + "\n" for a, b in zip(y, p, strict=True)))
    assert read(tmp_path / name, Wanted("y", ("p",)))[:2] == (y, [p])
    content = (tmp_path / name).read_text().replace(str(2**53), str(2**53 + 1))
    (tmp_path / name).write_text(content)
    assert "column 'y' has integers beyond 2^53 in its first" in refusal(tmp_path / name, Wanted("y", ("p",)))


@pytest.mark.parametrize("early", [True, False])
@pytest.mark.parametrize("name", ["t.csv", "t.jsonl"])
def test_text_in_numbers_is_named_by_row(tmp_path, monkeypatch, name, early):
    monkeypatch.setattr(delimited, "BLOCK_BYTES", 4096)
    row = 3 if early else 777
    values = ["oops" if i == row else i for i in range(1, 1001)]
    lines = [json.dumps({"y": v, "p": 1}) for v in values] if name == "t.jsonl" else ["y,p", *(f"{v},1" for v in values)]
    (tmp_path / name).write_text("\n".join(lines) + "\n")
    text = refusal(tmp_path / name, Wanted("y", ("p",)))
    assert text.startswith(f"{tmp_path / name}: column 'y', row {row} holds 'oops' where a number was expected. Correct that cell")


@pytest.mark.parametrize("make", [pa.table, pl.DataFrame, pd.DataFrame, dict, lambda d: pa.table(d).to_reader()])
def test_text_columns_of_frames_are_refused(make):
    wanted = Wanted("y", ("p",))
    text = refusal(make({"y": ["1", "x", "z"], "p": [1, 2, 3]}), wanted)
    assert "column 'y', row 2 holds 'x' where a number was expected" in text
    text = refusal(make({"y": ["1.5", "2", "3"], "p": [1, 2, 3]}), wanted)
    assert "column 'y' holds numbers stored as text (" in text
    assert "'1.5')" in text


def test_text_in_a_later_row_group_is_named_by_its_row_in_the_file(tmp_path):
    pq.write_table(pa.table({"y": ["1"] * 2500 + ["n/k"] + ["2"] * 10, "p": [1] * 2511}), tmp_path / "t.parquet", row_group_size=1000)
    assert "t.parquet: column 'y', row 2,501 holds 'n/k'" in refusal(tmp_path / "t.parquet", Wanted("y", ("p",)))


def test_dates_and_lists_are_no_numbers(tmp_path):
    day = datetime.date(2024, 1, 5)
    assert "has the type date32[day] where numbers were expected. Cast" in refusal(pa.table({"y": [day], "p": [1], "g": ["a"]}))
    assert "has the type datetime64[D]" in refusal({"y": np.array([day], "datetime64[D]"), "p": [1], "g": ["a"]})
    assert "column 'y' has shape (2, 2)" in refusal({"y": np.ones((2, 2)), "p": [1, 2], "g": [1, 2]})
    write_csv(tmp_path / "t.csv", "y,p\n2024-01-05,1\n")
    assert "row 1 holds '2024-01-05'" in refusal(tmp_path / "t.csv", Wanted("y", ("p",)))
    assert "has the type list<item: int64>, which cannot name a group" in refusal(pa.table({"y": [1], "p": [1], "g": [[1]]}))
    assert "has the type binary, which cannot name a group" in refusal(pa.table({"y": [1], "p": [1], "g": [b"a"]}))
    assert "has the type bytes, which cannot name a group" in refusal({"y": [1], "p": [1], "g": np.array([b"a"], object)})


def test_missing_files_offer_the_nearest_name(tmp_path):
    (tmp_path / "predictions.parquet").touch()
    assert "predictoins.parquet: no such file. Did you mean 'predictions.parquet'?" in refusal(tmp_path / "predictoins.parquet")
    assert "no such file; the folder" in refusal(tmp_path / "zzzz.q")
    assert "no such file, and no folder" in refusal(tmp_path / "nowhere" / "a.csv")
    (tmp_path / "void").mkdir()
    assert refusal(tmp_path / "void" / "a.csv").endswith("is empty. Check the path.")


def test_folders_and_patterns_without_data(tmp_path):
    (tmp_path / "notes.txt").write_text("x")
    assert "the folder holds no data file. Expected at least one file ending in .parquet" in refusal(tmp_path)
    assert "no file matches this pattern" in refusal(tmp_path / "*.csv")
    assert "the ending '.txt' is not a known format. Expected one of" in refusal(tmp_path / "notes.txt")


@pytest.mark.parametrize("name", WRITERS)
def test_empty_and_damaged_files(tmp_path, name):
    path = tmp_path / name
    path.touch()
    assert refusal(path) == f"{path}: the file is empty (0 bytes). Expected a table with a header and at least one row."
    if name.split(".", 1)[1] in ("csv", "tsv"):
        return
    WRITERS[name](path)
    path.write_bytes(path.read_bytes()[:-20])
    assert str(path) in refusal(path)
    path.write_bytes(b"\x00\x01garbage\xff" * 9)
    assert "cannot be read as" in refusal(path)


def test_a_truncated_parquet_file_is_called_that(tmp_path):
    WRITERS["t.parquet"](tmp_path / "t.parquet")
    path = tmp_path / "t.parquet"
    path.write_bytes(path.read_bytes()[:-9])
    assert "the end of the file (its footer) is missing, as after an interrupted copy. Write or copy the file again." in refusal(path)
    path.write_bytes(b"PA")
    assert "cannot be read as Parquet" in refusal(path)


def test_no_rows(tmp_path):
    sentence = "the table has column names but no rows. Expected at least one row of data."
    write_csv(tmp_path / "t.csv", "y,p,g\n")
    pq.write_table(table().slice(0, 0), tmp_path / "t.parquet")
    feather.write_feather(table().slice(0, 0), tmp_path / "t.feather")
    (tmp_path / "t.jsonl").write_text("\n")
    for name in ("t.csv", "t.parquet", "t.feather", "t.jsonl"):
        assert refusal(tmp_path / name) == f"{tmp_path / name}: {sentence}"
    for data in (table().slice(0, 0), table().slice(0, 0).to_reader(), pl.from_arrow(table()).clear(), {"y": [], "p": [], "g": []}):
        assert sentence in refusal(data)


def test_unknown_and_double_columns(tmp_path):
    write_csv(tmp_path / "t.csv", "y,yhat,g\n1,2,a\n")
    sentence = "t.csv: there is no column 'y_hat'. Did you mean 'yhat'? The columns are 'y', 'yhat', 'g'."
    assert sentence in refusal(tmp_path / "t.csv", Wanted("y", ("y_hat",)))
    many = {f"c{i}": [1] for i in range(40)}
    assert "'c11' and 28 more." in refusal(many, Wanted("target", ("c1",)))
    write_csv(tmp_path / "d.csv", "y,p,p\n1,2,3\n")
    assert "the column name 'p' occurs 2 times" in refusal(tmp_path / "d.csv", Wanted("y", ("p",)))
    double = pd.DataFrame([[1, 2, 3]], columns=["y", "p", "p"])
    assert "the column name 'p' occurs 2 times" in refusal(double, Wanted("y", ("p",)))


def test_ragged_rows_and_other_csv_faults(tmp_path):
    write_csv(tmp_path / "t.csv", "y,p\n1,2\n3,4\n5\n")
    assert "t.csv: row 3 has 1 cells where the header has 2. Correct that row" in refusal(tmp_path / "t.csv", Wanted("y", ("p",)))
    (tmp_path / "u.csv").write_bytes(b"y,p,g\n1,2,\xff\xfe\n")
    assert "u.csv: the file is not encoded as UTF-8" in refusal(tmp_path / "u.csv")
    write_csv(tmp_path / "b.csv", "\ufeffy,p\n1,nan\n2,inf\n")
    assert read(tmp_path / "b.csv", Wanted("y", ("p",)))[:2] == ([1, 2], [[None, np.inf]])


def test_csv_group_values_stay_as_written(tmp_path):
    write_csv(tmp_path / "t.csv", "y,p,g\n1,1,12\n1,1,012\n1,1,NA\n1,1,\n1,1,-3\n1,1,1.50\n1,1,true\n")
    assert read(tmp_path / "t.csv")[3] == [[12, "012", "NA", None, -3, "1.50", "true"]]


def test_json_columns_that_nobody_wants_may_change_their_type(tmp_path):
    path = tmp_path / "t.jsonl"
    path.write_text('{"y": 1, "p": 2, "g": "a", "z": 1}\n{"y": 2.5, "p": 2, "g": null, "z": "text"}\n')
    assert read(path) == ([1, 2.5], [[2, 2]], [], [["a", None]])
    assert "the group column 'z' changes its type" in refusal(path, Wanted("y", ("p",), None, ("z",)))
    path.write_text('{"y": true, "p": 2}\n{"y": 2.5, "p": 2}\n')
    assert "column 'y', row 1 holds True where a number was expected" in refusal(path, Wanted("y", ("p",)))
    path.write_text('{"y": true, "p": 2}\n{"y": false, "p": 2}\n')
    assert read(path, Wanted("y", ("p",)))[0] == [True, False]


def test_json_faults(tmp_path):
    path = tmp_path / "t.json"
    path.write_text('[{"y": 1, "p": 2}]')
    assert "the file is one JSON array. Expected JSON lines" in refusal(path)
    path.write_text('{"y": 1, "p": 2\n')
    assert "cannot be read as JSON lines" in refusal(path)


def test_float_groups_with_nan(tmp_path):
    sentence = "the group column 'g' holds floating-point numbers and is NaN or missing in row 2. Cast the column"
    for g in (pa.array([1.0, None, 2.0]), pa.array([1.0, float("nan"), 2.0])):
        data = pa.table({"y": [1, 2, 3], "p": [1, 2, 3], "g": g})
        assert sentence in refusal(data)
        pq.write_table(data, tmp_path / "t.parquet")
        assert sentence in refusal(tmp_path / "t.parquet")
    assert sentence in refusal({"y": [1, 2, 3], "p": [1, 2, 3], "g": np.array([1.0, np.nan, 2.0])})


def test_lengths_that_differ():
    assert "'y_true' has 2 rows and 'y_pred' has 3. Every array" in refusal(arrays_source([1, 2], [1, 2, 3]), Wanted("y_true", ("y_pred",)))


def test_things_that_are_no_table():
    assert "cannot read data from an object of type int. Expected a path" in refusal(3)
    assert "object of type NoneType" in refusal(None)


@pytest.mark.parametrize("ending", ["csv", "parquet", "jsonl", "arrow"])
def test_strange_names_and_values_survive(tmp_path, ending):
    path = tmp_path / f"t.{ending}"
    for name in STRANGE:
        data = pa.table({name: [1, 2, 3, 4, 5], "p": [1.0] * 5, name + "g": STRANGE})
        if ending == "csv":
            quote = lambda text: '"' + text.replace('"', '""') + '"'  # noqa: E731
            rows = "".join(f"{i},1.0,{quote(value)}\n" for i, value in enumerate(STRANGE, 1))
            write_csv(path, f"{quote(name)},p,{quote(name + 'g')}\n{rows}")
        elif ending == "parquet":
            pq.write_table(data, path)
        elif ending == "jsonl":
            path.write_text("".join(json.dumps(row) + "\n" for row in data.to_pylist()))
        else:
            feather.write_feather(data, path)
        assert read(path, Wanted(name, ("p",), None, (name + "g",))) == ([1, 2, 3, 4, 5], [[1.0] * 5], [], [STRANGE])
        assert "there is no column" in refusal(path, Wanted(name + "!", ("p",)))


def run(code, *arguments):
    return subprocess.run([sys.executable, "-c", code, *map(str, arguments)], capture_output=True, text=True, check=True).stdout


def test_reading_parquet_does_not_import_pandas(tmp_path):
    data = table().append_column("when", pa.array([datetime.datetime(2024, 1, 5)] * 4, pa.timestamp("ns")))
    pq.write_table(data, tmp_path / "t.parquet")
    code = (
        "import sys; from squarely.sources import Wanted, open_source\n"
        "assert 'pyarrow' not in sys.modules and 'narwhals' not in sys.modules\n"
        "wanted = Wanted('y', ('p',), None, ('g', 'when'))\n"
        "print(sum(b.target.values.size for part in open_source(sys.argv[1]).parts(wanted) for b in part()))\n"
        "print('pandas' in sys.modules, 'narwhals' in sys.modules)"
    )
    assert run(code, tmp_path / "t.parquet").split() == ["4", "False", "False"]


def test_arrays_need_no_pyarrow():
    code = (
        "import sys; from squarely.sources import arrays_source\n"
        "source = arrays_source([1, 2], [1, 2], by=['a', 'b'])\n"
        "print(sum(b.target.values.size for part in source.parts(source.wanted) for b in part()), 'pyarrow' in sys.modules)"
    )
    assert run(code).split() == ["2", "False"]


def test_reading_writes_nothing(tmp_path):
    WRITERS["t.parquet"](tmp_path / "t.parquet")
    WRITERS["t.csv"](tmp_path / "t.csv")
    before = sorted((file.name, file.stat().st_mtime_ns) for file in tmp_path.iterdir())
    read(tmp_path)
    assert sorted((file.name, file.stat().st_mtime_ns) for file in tmp_path.iterdir()) == before
