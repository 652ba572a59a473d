"""Whose ids these are, many at a time, in a few statements.

On PostgreSQL the visitors found are locked against being merged away until the transaction ends:
what is then written about them can never be left behind on a visitor who is somebody else by now.
"""

from collections.abc import Mapping
from itertools import compress
from typing import NamedTuple

import orjson
from sqlalchemy import Connection

from experiments.assignment.models import Alias
from experiments.assignment.schemas import AliasKind
from experiments.assignment.suppression import suppressed
from experiments.database import run
from experiments.inbox.rows import among, elements, insert_new

ALIAS_COLUMNS = ("value", "kind", "visitor_id", "created_at")


class Sighting(NamedTuple):
    """Of which kind an id is, and when it was received, in microseconds."""

    kind: AliasKind
    at: int


class Owners(NamedTuple):
    """The visitor of each id, and those of the visitors that did not exist before."""

    ids: dict[str, int]
    newcomers: frozenset[int]


class _Known(NamedTuple):
    """The visitors of ids that were seen before, and which ids are not known as a user's."""

    ids: dict[str, int]
    anonymous: list[str]


def owners(connection: Connection, seen: Mapping[str, Sighting]) -> Owners:
    """The visitor of each id; an id never seen becomes a new visitor, created when it was seen.

    Ids of people who were forgotten are nobody's and are left out.
    """
    ids, anonymous = _known(connection, list(seen))
    unknown: dict[str, Sighting] = {}
    if len(ids) < len(seen):  # whoever is known was not forgotten
        unknown = {value: sighting for value, sighting in seen.items() if value not in ids}
        for value in suppressed(connection, unknown):
            del unknown[value]
    newcomers: set[int] = set()
    while unknown:
        brought = _newcomers(connection, unknown)
        newcomers.update(brought.values())
        lost = [value for value in unknown if value not in brought]
        others = _known(connection, lost)  # those that another process brought first
        ids |= brought | others.ids
        anonymous += others.anonymous
        unknown = {value: unknown[value] for value in lost if value not in others.ids}
    _promote(connection, [value for value in anonymous if seen[value].kind is AliasKind.USER])
    return Owners(ids, frozenset(newcomers))


def _known(connection: Connection, values: list[str]) -> _Known:
    """Who owns these ids, held until the transaction ends.

    An id whose visitor was merged or forgotten while the lock was awaited is left out: whoever
    asks again finds the new one.
    """
    if not values:
        return _Known({}, [])
    query = (
        "SELECT alias.value, visitor_id, kind, coalesce(merged_into, erased_at) AS gone "  # noqa: S608 (no value inside)
        "FROM alias JOIN visitor ON visitor.id = visitor_id "
        f"WHERE alias.value {among(connection)}"
    )
    if connection.dialect.name == "postgresql":
        query += " ORDER BY visitor.id FOR KEY SHARE OF visitor"
    rows = run(connection, query, _json(values))
    ids = {value: visitor_id for value, visitor_id, _, gone in rows if gone is None}
    return _Known(ids, [value for value, _, kind, _ in rows if kind != AliasKind.USER])


def _newcomers(connection: Connection, unknown: Mapping[str, Sighting]) -> dict[str, int]:
    """New visitors for ids that nobody else brings at this moment."""
    # In order, so that two processes that bring the same ids wait for each other in one direction.
    sightings = sorted(unknown.items())
    insert = (
        "INSERT INTO visitor (created_at) "  # noqa: S608 (no value inside)
        f"SELECT CAST(value AS BIGINT) FROM {elements(connection)} RETURNING id"
    )
    seen_at = _json([sighting.at for _, sighting in sightings])
    numbers = [number for (number,) in run(connection, insert, seen_at)]
    rows = [
        (value, str(sighting.kind), number, sighting.at)
        for (value, sighting), number in zip(sightings, numbers, strict=True)
    ]
    news = insert_new(connection, Alias, ALIAS_COLUMNS, rows, key=("value",))
    orphans = [number for number, is_new in zip(numbers, news, strict=True) if not is_new]
    if orphans:
        delete = f"DELETE FROM visitor WHERE id {among(connection, 'BIGINT')}"  # noqa: S608 (no value inside)
        run(connection, delete, _json(orphans))
    return {row[0]: row[2] for row in compress(rows, news)}


def _promote(connection: Connection, values: list[str]) -> None:
    """Remember that ids that were anonymous are a user's."""
    if values:
        update = f"UPDATE alias SET kind = '{AliasKind.USER}' WHERE value {among(connection)}"  # noqa: S608 (no value inside)
        run(connection, update, _json(values))


def _json(values: list[str] | list[int]) -> str:
    return orjson.dumps(values).decode()
