"""How the user's own tables become the two relations: names of tables and columns, nothing copied.

Names are checked and quoted; everything else in the generated SQL is a number or a quoted text.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from experiments.database import to_micros
from experiments.moments.dialects import text
from experiments.moments.relational import Tables
from experiments.shapes import In, Out

TableName = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*){0,2}$", max_length=200)
]
Column = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_]\w*$", max_length=63)]
System = Literal["duckdb", "postgresql"]


class ExposureTable(In):
    """Who was shown which variant of which experiment, and when; the first time counts."""

    table: TableName
    visitor: Column = "visitor"
    experiment: Column = "experiment"
    variant: Column = "variant"
    at: Column = "at"


class EventTable(In):
    """What visitors did.

    Properties are one JSON column, or columns by the name of the property.
    """

    table: TableName
    visitor: Column = "visitor"
    name: Column = "name"
    at: Column = "at"
    received_at: Column | None = None
    source: Column | None = None
    properties: Column | None = None
    columns: dict[str, Column] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _has_properties_once(self) -> "EventTable":
        if self.properties is not None and self.columns:
            message = "columns cannot be given beside properties; leave one of them out"
            raise ValueError(message)
        return self


class Warehouse(In):
    """Where a warehouse is, and what its tables and columns are called."""

    address: Annotated[str, StringConstraints(pattern=r"^(duckdb|postgresql)://")]
    exposures: ExposureTable
    events: EventTable

    @property
    def system(self) -> System:
        """What runs the queries."""
        return "duckdb" if self.address.startswith("duckdb:") else "postgresql"


class Arms(Out):
    """An experiment as the warehouse calls it: variants by key, phases by their beginning."""

    experiment: int
    key: str
    variants: Mapping[str, int]
    phases: Sequence[tuple[datetime, int]]


def tables(
    found: Warehouse, arms: Sequence[Arms], names: Collection[str], *, as_of: datetime
) -> Tables:
    """SQL of the two relations over the user's tables."""
    return Tables(
        exposure=_exposures(found, arms),
        event=_events(found, names, at=to_micros(as_of)),
        number="ROW_NUMBER() OVER (ORDER BY wanted.population, x.visitor)",
    )


def _exposures(found: Warehouse, arms: Sequence[Arms]) -> str:
    mine = found.exposures
    at = _micros(mine.at, found.system)
    parts = []
    for one in arms:
        variants = " ".join(
            f"WHEN {text(key)} THEN {number}" for key, number in one.variants.items()
        )
        parts.append(
            f"SELECT {one.experiment} AS experiment, {_quoted(mine.visitor)} AS visitor, "
            f"CAST(CASE {_quoted(mine.variant)} {variants} END AS BIGINT) AS variant, "
            f"{at} AS first_at, {_phase(one, at)} AS phase, "
            f"ROW_NUMBER() OVER (PARTITION BY {_quoted(mine.visitor)} "
            f"ORDER BY {at}, {_quoted(mine.variant)}) AS place "
            f"FROM {_quoted(mine.table)} WHERE {_quoted(mine.experiment)} = {text(one.key)}"
        )
    first = "SELECT experiment, visitor, variant, phase, first_at"
    return (
        f"({first} FROM ({' UNION ALL '.join(parts)}) met WHERE place = 1 AND variant IS NOT NULL)"
    )


def _phase(one: Arms, at: str) -> str:
    """The phase that was open; the first one for whoever came before it."""
    opened = sorted(one.phases, reverse=True)
    cases = " ".join(f"WHEN {at} >= {to_micros(begun)} THEN {number}" for begun, number in opened)
    return f"CASE {cases} ELSE {opened[-1][1]} END"


def _events(found: Warehouse, names: Collection[str], *, at: int) -> str:
    mine = found.events
    occurred = _micros(mine.at, found.system)
    received = occurred if mine.received_at is None else _micros(mine.received_at, found.system)
    source = text("warehouse") if mine.source is None else f"CAST({_quoted(mine.source)} AS TEXT)"
    listed = ", ".join(map(text, sorted(names)))
    return (
        f"(SELECT {_quoted(mine.visitor)} AS visitor, {_quoted(mine.name)} AS name, "
        f"{source} AS source, {occurred} AS occurred_at, {received} AS received_at, "
        f"{_properties(found)} AS properties FROM {_quoted(mine.table)} "
        f"WHERE {_quoted(mine.name)} IN ({listed}) AND {received} <= {at})"
    )


def _properties(found: Warehouse) -> str:
    mine = found.events
    if mine.properties is not None:
        return f"COALESCE(CAST({_quoted(mine.properties)} AS TEXT), '{{}}')"
    pairs = ", ".join(
        part for name, column in mine.columns.items() for part in (text(name), _quoted(column))
    )
    build = "json_object" if found.system == "duckdb" else "jsonb_build_object"
    return f"CAST({build}({pairs}) AS TEXT)"


def _micros(column: str, system: System) -> str:
    """An instant in microseconds; one without a time zone is in UTC."""
    if system == "duckdb":
        return f"epoch_us({_quoted(column)})"
    return f"CAST(EXTRACT(EPOCH FROM {_quoted(column)}) * 1000000 AS BIGINT)"


def _quoted(name: str) -> str:
    return ".".join(f'"{part}"' for part in name.split("."))
