"""Tables as files: what a spreadsheet and a program read."""

import csv
import io
import json
from datetime import UTC, datetime

import pytest

from web.tables import Amount, Column, Kind, Table

TABLE = Table(
    key="results",
    title="Results",
    about="Of matured visitors.",
    columns=(
        Column(key="variant", label="Variant"),
        Column(key="share", label="Share", kind=Kind.SHARE),
        Column(key="since", label="Since", kind=Kind.MOMENT),
    ),
    rows=[('bold, "new"', 0.25, datetime(2026, 3, 2, 9, tzinfo=UTC)), ("control", None, None)],
    as_of=datetime(2026, 3, 9, tzinfo=UTC),
)


def test_csv__text_with_commas_and_nothing_known__is_read_back_as_it_was() -> None:
    rows = list(csv.DictReader(io.StringIO(TABLE.as_csv())))

    assert rows[0] == {
        "variant": 'bold, "new"',
        "share": "0.25",
        "since": "2026-03-02T09:00:00+00:00",
    }
    assert rows[1] == {"variant": "control", "share": "", "since": ""}


def test_document__undefined__is_null_and_the_time_is_told() -> None:
    document = json.loads(json.dumps(TABLE.as_document()))

    assert document["as_of"] == "2026-03-09T00:00:00+00:00"
    assert document["rows"][1] == {"variant": "control", "share": None, "since": None}
    assert document["columns"][1] == {"key": "share", "label": "Share", "kind": "share"}


def test_files__amount__carry_the_bare_number() -> None:
    amount = Amount(number=0.304, kind="conversion", unit="")
    column = Column(key="rate", label="Rate", kind=Kind.NUMBER)
    table = Table(key="x", title="X", about="", columns=(column,), rows=[(amount,)])

    assert table.as_csv() == "rate\n0.304\n"
    assert table.as_document()["rows"] == [{"rate": 0.304}]


@pytest.mark.parametrize(
    ("kind", "cell", "shown"),
    [
        (Kind.SHARE, 0.25, "25.0%"),
        (Kind.LIFT, -0.1, "\u221210.0%"),
        (Kind.COUNT, 12345, "12\u202f345"),
        (Kind.HOURS, 48.0, "2 days"),
        (Kind.NUMBER, None, "\u2013"),
        (Kind.NUMBER, Amount(number=0.304, kind="conversion", unit=""), "30.4%"),
        (Kind.NUMBER, Amount(number=9.72, kind="sum", unit="EUR"), "9.72\u202fEUR"),
    ],
)
def test_cell__of_a_kind__is_written_as_pages_write_it(kind, cell, shown) -> None:
    assert Column(key="x", label="X", kind=kind).shown(cell) == shown


def test_table__arm_with_a_name__is_called_by_it_on_pages_and_by_its_key_in_files() -> None:
    column = Column(key="variant", label="Variant", kind=Kind.ARM)
    table = Table(
        key="x",
        title="X",
        about="",
        columns=(column,),
        rows=[("bold",)],
        called={"bold": "In bold"},
    )

    assert table.shown(column, "bold") == "In bold"
    assert table.shown(column, "control") == "control"
    assert table.as_csv() == "variant\nbold\n"
