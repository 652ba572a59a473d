"""Tables that a page shows and, at the same address, gives out as CSV and as JSON.

`?format=csv` and `?format=json` answer with a table of the page; `&table=` names one of several.
"""

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any, TypeAlias

from flask import Response, request

from experiments import formats
from experiments.errors import InvalidError, NotFoundError

SECONDS_PER_HOUR = 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """A figure whose row tells what it counts: a metric's, of its kind and in its unit."""

    number: float | None
    kind: str
    unit: str


Cell: TypeAlias = str | int | float | bool | datetime | date | Amount | None


class Kind(StrEnum):
    """What the cells of a column are, hence how a page writes them."""

    TEXT = "text"
    ARM = "arm"  # by its key; a page calls it by name
    COUNT = "count"
    SHARE = "share"  # 0 to 1
    LIFT = "relative change"  # 0.1 is +10%
    POINTS = "difference of shares"  # 0.1 is +10 points
    NUMBER = "number"
    HOURS = "hours"
    MOMENT = "moment"
    DAY = "day"
    P_VALUE = "p-value"


_WRITTEN: dict[Kind, Callable[[Any], str]] = {
    Kind.TEXT: str,
    Kind.ARM: str,
    Kind.COUNT: formats.count,
    Kind.SHARE: formats.percent,
    Kind.LIFT: formats.lift,
    Kind.POINTS: formats.points,
    Kind.NUMBER: formats.figure,
    Kind.HOURS: lambda hours: formats.span(hours * SECONDS_PER_HOUR),
    Kind.MOMENT: formats.moment,
    Kind.DAY: str,
    Kind.P_VALUE: formats.p_value,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column: its name in files, its heading on the page, and what its cells are."""

    key: str
    label: str
    kind: Kind = Kind.TEXT

    @property
    def is_number(self) -> bool:
        """Whether its cells stand at the right."""
        return self.kind not in {Kind.TEXT, Kind.ARM, Kind.MOMENT, Kind.DAY}

    def shown(self, cell: Cell) -> str:
        """A cell as a page writes it."""
        if isinstance(cell, Amount):
            return formats.amount(cell.number, cell.kind, cell.unit)
        return formats.NOTHING if cell is None else _WRITTEN[self.kind](cell)


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows under columns, with what they are about and up to when the data are in.

    Files carry the keys of arms; `called` are the names by which a page calls them.
    """

    key: str
    title: str
    about: str
    columns: tuple[Column, ...]
    rows: Sequence[tuple[Cell, ...]]
    as_of: datetime | None = None
    called: Mapping[str, str] = field(default_factory=dict)

    def shown(self, column: Column, cell: Cell) -> str:
        """A cell as a page writes it."""
        written = column.shown(cell)
        return self.called.get(written, written) if column.kind is Kind.ARM else written

    def as_csv(self) -> str:
        """The table as CSV with a heading; what is undefined is empty."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow([column.key for column in self.columns])
        writer.writerows([_plain(cell) for cell in row] for row in self.rows)
        return text.getvalue()

    def as_document(self) -> dict[str, object]:
        """The table as JSON can carry it; what is undefined is null."""
        keys = [column.key for column in self.columns]
        return {
            "table": self.key,
            "title": self.title,
            "about": self.about,
            "as_of": _plain(self.as_of),
            "columns": [
                {"key": column.key, "label": column.label, "kind": str(column.kind)}
                for column in self.columns
            ],
            "rows": [
                dict(zip(keys, (_plain(cell) for cell in row), strict=True)) for row in self.rows
            ],
        }


def asked_format() -> str:
    """The format that the address asks for, empty for the page itself.

    Raises:
        InvalidError: when there is no such format.
    """
    asked = request.args.get("format", "")
    if asked not in {"", "csv", "json"}:
        raise InvalidError.at("/format", "is csv or json; leave it out for the page")
    return asked


def download(tables: Mapping[str, Table], *, name: str) -> Response:
    """The table that the address asks for, or the first one, in the format that it asks for.

    Raises:
        NotFoundError: when the page has no such table.
    """
    key = request.args.get("table") or next(iter(tables), "")
    if key not in tables:
        raise NotFoundError("table", key or "of this page")
    if asked_format() == "json":
        document = json.dumps(tables[key].as_document(), ensure_ascii=False)
        return Response(document, mimetype="application/json")
    return Response(
        tables[key].as_csv(),
        mimetype="text/csv",
        headers={"Content-Disposition": f'attachment; filename="{name}-{key}.csv"'},
    )


def _plain(cell: Cell) -> str | int | float | bool | None:
    if isinstance(cell, datetime | date):
        return cell.isoformat()
    return cell.number if isinstance(cell, Amount) else cell
