"""Reading many experiments again and again: what did not change is told by its bare rows.

A row taken as it is costs a twentieth of what it costs to read it into a checked shape, and of a
thousand experiments hardly ever more than one has changed. A checked shape takes 8 KB, so that
only what its reader makes of it is kept, beside a digest of the rows.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import cache
from hashlib import blake2b
from typing import Any, Generic, NamedTuple, TypeVar, cast

import orjson
from sqlalchemy import Connection, Table, inspect
from sqlmodel import Session, SQLModel, col, select

from experiments.database import Json, run
from experiments.design.models import Experiment, Phase, Variant
from experiments.design.queries import outs
from experiments.design.schemas import ExperimentOut, Purpose, Status
from experiments.inbox.rows import among

Made = TypeVar("Made")
Rows = list[tuple[Any, ...]]
AT_ONCE = 50  # are read into checked shapes: what many of them take together stays taken
DIGEST_BYTES = 16


class _Held(NamedTuple, Generic[Made]):
    """What was made of an experiment, and the digest of the rows that it was read from."""

    digest: bytes
    made: Made


class Recall(Generic[Made]):
    """Remembers what was made of the experiments that it read last."""

    def __init__(self) -> None:
        self._held: Mapping[int, _Held[Made]] = {}

    def experiments(
        self,
        session: Session,
        statuses: Collection[Status],
        *,
        purposes: Collection[Purpose],
        make: Callable[[ExperimentOut], Made],
    ) -> list[Made]:
        """What `make` makes of the experiments of these states and purposes, the oldest first.

        Of what did not change since the last time it is the very object of the last time.
        """
        found = _digests(session.connection(), statuses, purposes)
        held = self._held
        stale = [key for key, seen in found.items() if key not in held or held[key].digest != seen]
        fresh = {item.id: make(item) for item in _read(session, stale)}
        self._held = {
            key: _Held(seen, fresh[key] if key in fresh else held[key].made)
            for key, seen in found.items()
        }
        return [item.made for item in self._held.values()]


def _read(session: Session, ids: Sequence[int]) -> Iterator[ExperimentOut]:
    for start in range(0, len(ids), AT_ONCE):
        chosen = select(Experiment).where(col(Experiment.id).in_(ids[start : start + AT_ONCE]))
        yield from outs(session, session.exec(chosen).all())


def _digests(
    connection: Connection, statuses: Collection[Status], purposes: Collection[Purpose]
) -> dict[int, bytes]:
    """A digest of every row that belongs to each of these experiments."""
    listed = among(connection)
    chosen = f"WHERE status {listed} AND purpose {listed}"
    wanted = tuple(orjson.dumps(list(values)).decode() for values in (statuses, purposes))
    found: defaultdict[int, Rows] = defaultdict(list)
    for row in run(connection, f"{_select(Experiment)} {chosen} ORDER BY id", *wanted):
        found[row[0]].append(row)
    theirs = f"WHERE experiment_id IN (SELECT id FROM experiment {chosen})"  # noqa: S608 (as above)
    for model in (Variant, Phase):
        for row in run(connection, f"{_select(model)} {theirs} ORDER BY id", *wanted):
            found[row[1]].append(row)
    return {key: _digest(rows) for key, rows in found.items()}


def _digest(rows: Rows) -> bytes:
    return blake2b(orjson.dumps(rows), digest_size=DIGEST_BYTES).digest()


@cache
def _select(model: type[SQLModel]) -> str:
    """Every column, those of JSON as text."""
    table = cast(Table, inspect(model).local_table)
    columns = (
        f"CAST({column.name} AS TEXT)" if isinstance(column.type, Json) else column.name
        for column in table.columns
    )
    return f"SELECT {', '.join(columns)} FROM {table.name}"  # noqa: S608 (names of ours)
