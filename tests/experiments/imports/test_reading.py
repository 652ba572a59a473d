"""Reading files row by row."""

import gzip
from pathlib import Path

import pyarrow
import pytest
from pyarrow import parquet

from experiments.errors import MalformedError
from experiments.imports.reading import FileForm, columns, rows

FORM = FileForm(missing=frozenset({"-999"}))


def test_rows__csv_with_quoted_line_break__then_lines_are_those_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text('a,b\n1,"x\ny"\n2,z\n', encoding="utf-8")
    assert [(row.line, dict(row.values)) for row in rows(path, FORM)] == [
        (3, {"a": "1", "b": "x\ny"}),
        (4, {"a": "2", "b": "z"}),
    ]


def test_rows__blank_or_declared_missing__then_not_known(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text("a,b,c\n -999 , ,1\n", encoding="utf-8-sig")
    assert [dict(row.values) for row in rows(path, FORM)] == [{"a": None, "b": None, "c": "1"}]


def test_rows__parquet__then_the_same_as_csv(tmp_path: Path) -> None:
    path = tmp_path / "data.parquet"
    table = {"n": [1, -999], "x": [0.5, 2.0], "t": ["a", None], "f": [True, False]}
    parquet.write_table(pyarrow.table(table), path)
    assert [dict(row.values) for row in rows(path, FORM)] == [
        {"n": "1", "x": "0.5", "t": "a", "f": "True"},
        {"n": None, "x": "2", "t": None, "f": "False"},
    ]


def test_rows__not_utf8__then_error_names_line_and_byte(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_bytes(b"a,b\n1,x\n2,caf\xe9\n")
    with pytest.raises(MalformedError, match=r"line 3 has 0xe9 at byte 6\. Save the file as UTF-8"):
        list(rows(path, FORM))


def test_rows__gzip_cut_off__then_error(tmp_path: Path) -> None:
    path = tmp_path / "data.csv.gz"
    path.write_bytes(gzip.compress(b"a,b\n" + b"1,2\n" * 5000)[:-20])
    with pytest.raises(MalformedError, match="cannot be read to its end"):
        list(rows(path, FORM))


def test_columns__none_or_doubled__then_error(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text("", encoding="utf-8")
    with pytest.raises(MalformedError, match="is empty; the first line must name the columns"):
        columns(path, FORM)
    path.write_text("a,b,a\n", encoding="utf-8")
    with pytest.raises(MalformedError, match="two columns named 'a'"):
        columns(path, FORM)


def test_rows__broken_parquet__then_error(tmp_path: Path) -> None:
    path = tmp_path / "data.parquet"
    path.write_bytes(b"not parquet")
    with pytest.raises(MalformedError, match="cannot be read as Parquet"):
        list(rows(path, FORM))
