"""Reading a number out of a JSON column, the same on SQLite and PostgreSQL."""

from typing import Any

from sqlalchemy import ColumnElement, Float, String, case, cast, literal
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Mapped
from sqlalchemy.sql.functions import FunctionElement


class _JsonKind(FunctionElement[str]):
    """The JSON type of a value, in words."""

    type = String()
    inherit_cache = True


@compiles(_JsonKind)
def _json_type(element: _JsonKind, compiler: Any, **options: Any) -> str:
    return f"json_type({compiler.process(element.clauses, **options)})"


@compiles(_JsonKind, "postgresql")
def _jsonb_typeof(element: _JsonKind, compiler: Any, **options: Any) -> str:
    return f"jsonb_typeof({compiler.process(element.clauses, **options)})"


def number_at(document: Mapped[Any], key: str) -> ColumnElement[float | None]:
    """The number under `key`, or NULL where there is none: text and booleans are not numbers."""
    label = literal(key, String())
    kind = _JsonKind(document.op("->", return_type=String())(label))
    value = document.op("->>", return_type=String())(label)
    return case((kind.in_(["number", "integer", "real"]), cast(value, Float)))
