"""Reading CSV (also gzip) and Parquet files row by row, as text, with honest errors.

The standard csv module is used on purpose: it knows the line of every row, and a bad row or a
bad byte can be named instead of failing a whole block.
"""

import csv
import gzip
import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from experiments.deferred import Deferred
from experiments.errors import InvalidError, MalformedError

if TYPE_CHECKING:
    import pyarrow
    from pyarrow import parquet
else:
    pyarrow, parquet = Deferred("pyarrow"), Deferred("pyarrow.parquet")

BLOCK = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class FileForm:
    """How a file is written: what separates its columns, which texts mean "not known"."""

    delimiter: str = ","
    missing: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row: where it stands, and its columns as text (None when not known)."""

    line: int
    values: Mapping[str, str | None]
    problem: str = ""


def columns(path: Path, form: FileForm) -> tuple[str, ...]:
    """The names of the columns.

    Raises:
        MalformedError: when there are none, or two have the same name.
    """
    if _is_parquet(path):
        with _readable(path):
            names = tuple(parquet.read_schema(path).names)
    else:
        with _opened(path) as handle:
            names = tuple(next(csv.reader(_lines(handle, path), delimiter=form.delimiter), ()))
    if not names:
        message = f"{path.name} is empty; the first line must name the columns."
        raise MalformedError(message)
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled:
        message = f"{path.name} has two columns named {doubled[0]!r}; rename one of them."
        raise MalformedError(message)
    return names


def rows(path: Path, form: FileForm) -> Iterator[Row]:
    """Every row of the file, in its order.

    Raises:
        MalformedError: when the file cannot be read, naming the line.
    """
    names = columns(path, form)
    return _parquet_rows(path, form) if _is_parquet(path) else _csv_rows(path, form, names)


def content_hash(path: Path) -> str:
    """The SHA-256 of the file as it is."""
    digest = hashlib.sha256()
    with path.open("rb") as handle:
        while block := handle.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()


def check_columns(path: Path, have: tuple[str, ...], needed: Mapping[str, str]) -> None:
    """Refuse a file that lacks a column; `needed` maps a column to where the mapping names it.

    Raises:
        InvalidError: naming the columns that are missing and those that are there.
    """
    for column, pointer in needed.items():
        if column not in have:
            there = ", ".join(have)
            detail = f"{path.name} has no column {column!r}; its columns are: {there}"
            raise InvalidError.at(pointer, detail)


def _csv_rows(path: Path, form: FileForm, names: tuple[str, ...]) -> Iterator[Row]:
    with _opened(path) as handle:
        reader = csv.reader(_lines(handle, path), delimiter=form.delimiter)
        next(reader)
        try:
            for fields in reader:
                if fields:
                    yield _csv_row(reader.line_num, fields, names, form)
        except csv.Error as error:
            message = f"{path.name}, line {reader.line_num}: {error}."
            raise MalformedError(message) from error


def _csv_row(line: int, fields: list[str], names: tuple[str, ...], form: FileForm) -> Row:
    values = dict(zip(names, (_known(field, form) for field in fields), strict=False))
    problem = ""
    if len(fields) != len(names):
        problem = f"has {len(fields)} fields where the header has {len(names)}"
    return Row(line=line, values=values, problem=problem)


def _parquet_rows(path: Path, form: FileForm) -> Iterator[Row]:
    with _readable(path), parquet.ParquetFile(path) as file:
        number = 0
        for batch in file.iter_batches():
            for record in batch.to_pylist():
                number += 1
                values = {name: _text(value, form) for name, value in record.items()}
                yield Row(line=number, values=values)


def _text(value: object, form: FileForm) -> str | None:
    if value is None:
        return None
    if isinstance(value, float) and value.is_integer():
        return _known(str(int(value)), form)
    return _known(str(value), form)


def _known(text: str, form: FileForm) -> str | None:
    stripped = text.strip()
    return None if not stripped or stripped in form.missing else stripped


def _lines(handle: BinaryIO, path: Path) -> Iterator[str]:
    try:
        for number, line in enumerate(handle, start=1):
            yield _decoded(line, number, path)
    except (OSError, EOFError) as error:
        message = f"{path.name} cannot be read to its end: {error}."
        raise MalformedError(message) from error


def _decoded(line: bytes, number: int, path: Path) -> str:
    try:
        return line.decode("utf-8-sig" if number == 1 else "utf-8")
    except UnicodeDecodeError as error:
        byte = f"0x{line[error.start]:02x} at byte {error.start + 1}"
        message = f"{path.name} is not UTF-8: line {number} has {byte}. Save the file as UTF-8."
        raise MalformedError(message) from error


def _opened(path: Path) -> BinaryIO:
    try:
        if path.name.endswith(".gz"):
            return gzip.open(path, "rb")  # type: ignore[return-value] # typeshed: GzipFile is not a BinaryIO, though it reads like one
        return path.open("rb")
    except OSError as error:
        message = f"{path} cannot be opened: {error.strerror}."
        raise MalformedError(message) from error


def _is_parquet(path: Path) -> bool:
    return path.suffix == ".parquet"


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, pyarrow.ArrowException) as error:
        message = f"{path.name} cannot be read as Parquet: {error}."
        raise MalformedError(message) from error
