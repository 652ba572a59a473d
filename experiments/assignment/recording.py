"""Writing whom requests met in which arm: many visits at once, before any of them is answered.

A visit comes as a question that is put again here, inside the transaction, to what is stored of
the visitor by then. So what is written is what is shown, also when two requests of one person
arrive together under different ids.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection, bindparam
from sqlmodel import col, update

from experiments.assignment.models import Assignment, Exposure
from experiments.assignment.owners import Sighting, owners
from experiments.assignment.queries import known_visitors
from experiments.assignment.renumbering import next_exposure_id
from experiments.assignment.schemas import AliasKind, AssignedBy, Known, StoredArm
from experiments.database import to_micros
from experiments.inbox.rows import insert_new
from experiments.inbox.schemas import Kind

ASSIGNMENT_COLUMNS = (
    "experiment_id",
    "visitor_id",
    "variant_id",
    "phase_id",
    "bucket",
    "propensity",
    "method",
    "assigned_at",
    "contaminated",
)
EXPOSURE_COLUMNS = ("experiment_id", "visitor_id", "variant_id", "phase_id", "first_at", "count")
KEY = ("experiment_id", "visitor_id")


class Meeting(NamedTuple):
    """A visitor in an arm: newly assigned or not, and whether they have seen it."""

    experiment_id: int
    arm: StoredArm
    propensity: float
    is_new: bool
    is_seen: bool


class Visit(NamedTuple):
    """Who asked and when, and which meetings follow from what is stored of them."""

    visitor: str
    at: datetime
    meetings: Callable[[Known], Sequence[Meeting]]


class Met(NamedTuple):
    """One meeting of a batch."""

    visitor_id: int
    at: int
    meeting: Meeting


def record(connection: Connection, visits: Sequence[Visit]) -> list[Known]:
    """Write what follows from each visit; what is stored of each visitor afterwards.

    Of whoever was forgotten nothing is written.
    """
    times = [to_micros(visit.at) for visit in visits]
    seen = {
        visit.visitor: Sighting(AliasKind.ANONYMOUS, at)
        for visit, at in zip(visits, times, strict=True)
    }
    ids, newcomers = owners(connection, seen)
    people = known_visitors(connection, set(ids.values()) - newcomers)
    people |= {number: Known(number) for number in newcomers}
    met = []
    for visit, at in zip(visits, times, strict=True):
        number = ids.get(visit.visitor)
        if number is None:
            continue
        found = visit.meetings(people[number])
        if found:
            met += [Met(number, at, meeting) for meeting in found]
            people[number] = _after(people[number], found)
    _assign(connection, [item for item in met if item.meeting.is_new], people)
    _expose(connection, [item for item in met if item.meeting.is_seen], people)
    numbers = [ids.get(visit.visitor) for visit in visits]
    return [Known() if number is None else people[number] for number in numbers]


def record_reported(connection: Connection, met: Sequence[Met]) -> None:
    """Write what clients say they have shown by themselves, in one go.

    Whoever has no arm yet is in the one that they were shown; whoever was shown another than
    their own is marked.
    """
    rows = [_assignment(item, AssignedBy.REPORT) for item in met]
    insert_new(connection, Assignment, ASSIGNMENT_COLUMNS, rows, key=KEY)
    people = known_visitors(connection, {item.visitor_id for item in met})
    strays = [item for item in met if _standing(item, people).variant_id != item.meeting.arm[0]]
    if strays:
        connection.execute(_CONTAMINATED, [_named(item) for item in strays])
    _expose(connection, met, people)


VISITS: Kind[Visit, Known] = Kind(name="visits", write=record, describe=lambda visit: visit.visitor)


def _after(person: Known, meetings: Sequence[Meeting]) -> Known:
    arms = {item.experiment_id: item.arm for item in meetings}
    seen = {item.experiment_id for item in meetings if item.is_seen}
    return Known(person.visitor_id, {**arms, **person.arms}, person.exposed | seen)


def _assign(connection: Connection, met: Sequence[Met], people: dict[int, Known]) -> None:
    news = insert_new(
        connection,
        Assignment,
        ASSIGNMENT_COLUMNS,
        [_assignment(item, AssignedBy.HASH) for item in met],
        key=KEY,
    )
    late = {item.visitor_id for item, is_new in zip(met, news, strict=True) if not is_new}
    if late:  # another process was first: what it wrote stands
        for number, stored in known_visitors(connection, late).items():
            arms = {**people[number].arms, **stored.arms}
            people[number] = people[number]._replace(arms=arms)


def _assignment(item: Met, method: AssignedBy) -> tuple[object, ...]:
    variant, phase, number = item.meeting.arm
    return (
        item.meeting.experiment_id,
        item.visitor_id,
        variant,
        phase,
        number,
        item.meeting.propensity,
        str(method),
        item.at,
        False,
    )


def _expose(connection: Connection, met: Sequence[Met], people: dict[int, Known]) -> None:
    rows = [_exposure(item, _standing(item, people)) for item in met]
    news = insert_new(connection, Exposure, EXPOSURE_COLUMNS, rows, key=KEY)
    again = [item for item, is_new in zip(met, news, strict=True) if not is_new]
    if again:
        connection.execute(_AGAIN, [_named(item) for item in again])
        earlier = _earlier(connection.dialect.name)
        connection.execute(earlier, [{**_named(item), "at": item.at} for item in again])


def _standing(item: Met, people: Mapping[int, Known]) -> StoredArm:
    return people[item.visitor_id].arms[item.meeting.experiment_id]


def _exposure(item: Met, arm: StoredArm) -> tuple[object, ...]:
    return (
        item.meeting.experiment_id,
        item.visitor_id,
        arm.variant_id,
        arm.phase_id,
        item.at,
        1,
    )


_AGAIN = (
    update(Exposure)
    .where(
        col(Exposure.experiment_id) == bindparam("experiment"),
        col(Exposure.visitor_id) == bindparam("visitor"),
    )
    .values(count=col(Exposure.count) + 1)
)


@lru_cache
def _earlier(dialect: str) -> sa.Update:
    """What tells of an earlier sight; apart from counting, since it seldom finds anything."""
    at = bindparam("at", type_=sa.BigInteger)
    return (
        update(Exposure)
        .where(
            col(Exposure.experiment_id) == bindparam("experiment"),
            col(Exposure.visitor_id) == bindparam("visitor"),
            sa.type_coerce(col(Exposure.first_at), sa.BigInteger) > at,
        )
        .values(first_at=at, id=next_exposure_id(dialect))
    )


_CONTAMINATED = (
    update(Assignment)
    .where(
        col(Assignment.experiment_id) == bindparam("experiment"),
        col(Assignment.visitor_id) == bindparam("visitor"),
    )
    .values(contaminated=True)
)


def _named(item: Met) -> dict[str, int]:
    return {"experiment": item.meeting.experiment_id, "visitor": item.visitor_id}
