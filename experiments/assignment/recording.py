"""Writing whom requests met in which arm: many visits at once, before any of them is answered.

A visit comes as a question that is put again here, inside the transaction, to what is stored of
the visitor by then. So what is written is what is shown, also when two requests of one person
arrive together under different ids.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection, bindparam, case
from sqlmodel import col, update

from experiments.assignment.models import Assignment, Exposure
from experiments.assignment.owners import Sighting, owners
from experiments.assignment.queries import known_visitors
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


class _Met(NamedTuple):
    """One meeting of a batch."""

    visitor_id: int
    at: int
    meeting: Meeting


def record(connection: Connection, visits: Sequence[Visit]) -> list[Known]:
    """Write what follows from each visit; what is stored of each visitor afterwards."""
    seen = {visit.visitor: Sighting(AliasKind.ANONYMOUS, to_micros(visit.at)) for visit in visits}
    ids = owners(connection, seen)
    people = known_visitors(connection, set(ids.values()))
    met = []
    for visit in visits:
        person = people[ids[visit.visitor]]
        found = visit.meetings(person)
        met += [_Met(ids[visit.visitor], to_micros(visit.at), meeting) for meeting in found]
        people[ids[visit.visitor]] = _after(person, found)
    _assign(connection, [item for item in met if item.meeting.is_new], people)
    _expose(connection, [item for item in met if item.meeting.is_seen], people)
    return [people[ids[visit.visitor]] for visit in visits]


VISITS: Kind[Visit, Known] = Kind(name="visits", write=record, describe=lambda visit: visit.visitor)


def _after(person: Known, meetings: Sequence[Meeting]) -> Known:
    arms = {item.experiment_id: item.arm for item in meetings}
    seen = {item.experiment_id for item in meetings if item.is_seen}
    return replace(person, arms={**arms, **person.arms}, exposed=person.exposed | seen)


def _assign(connection: Connection, met: Sequence[_Met], people: dict[int, Known]) -> None:
    news = insert_new(
        connection, Assignment, ASSIGNMENT_COLUMNS, [_assignment(item) for item in met], key=KEY
    )
    late = {item.visitor_id for item, is_new in zip(met, news, strict=True) if not is_new}
    if late:  # another process was first: what it wrote stands
        for number, stored in known_visitors(connection, late).items():
            arms = {**people[number].arms, **stored.arms}
            people[number] = replace(people[number], arms=arms)


def _assignment(item: _Met) -> tuple[object, ...]:
    variant, phase, number = item.meeting.arm
    return (
        item.meeting.experiment_id,
        item.visitor_id,
        variant,
        phase,
        number,
        item.meeting.propensity,
        str(AssignedBy.HASH),
        item.at,
        False,
    )


def _expose(connection: Connection, met: Sequence[_Met], people: dict[int, Known]) -> None:
    rows = [_exposure(item, people[item.visitor_id]) for item in met]
    news = insert_new(connection, Exposure, EXPOSURE_COLUMNS, rows, key=KEY)
    again = [item for item, is_new in zip(met, news, strict=True) if not is_new]
    if again:
        connection.execute(_AGAIN, [_repeat(item) for item in again])


def _exposure(item: _Met, person: Known) -> tuple[object, ...]:
    arm = person.arms[item.meeting.experiment_id]
    return (
        item.meeting.experiment_id,
        item.visitor_id,
        arm.variant_id,
        arm.phase_id,
        item.at,
        1,
    )


_FIRST_AT = sa.type_coerce(col(Exposure.first_at), sa.BigInteger)
_AT = bindparam("at", type_=sa.BigInteger)
_AGAIN = (
    update(Exposure)
    .where(
        col(Exposure.experiment_id) == bindparam("experiment"),
        col(Exposure.visitor_id) == bindparam("visitor"),
    )
    .values(
        count=col(Exposure.count) + 1,
        first_at=case((_FIRST_AT > _AT, _AT), else_=_FIRST_AT),
    )
)


def _repeat(item: _Met) -> dict[str, int]:
    return {
        "experiment": item.meeting.experiment_id,
        "visitor": item.visitor_id,
        "at": item.at,
    }
