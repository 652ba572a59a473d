"""Visitors by what was known of them before they met an experiment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from sqlalchemy import String, and_, cast, func, select
from sqlmodel import Session, col

from experiments.assignment.models import Attribute, Exposure
from experiments.deferred import Deferred
from experiments.moments.inbox_rows import EXPOSURE, table_of

if TYPE_CHECKING:
    import pyarrow as pa
else:
    pa = Deferred("pyarrow")


FEWEST_VALUES, MOST_VALUES = 2, 8
"""An attribute with one value divides nobody; one with many divides into groups too small."""

VALUE = cast(col(Attribute.value), String)
KNOWN_BEFORE = and_(
    col(Attribute.visitor_id) == col(Exposure.visitor_id),
    col(Attribute.as_of) <= col(Exposure.first_at),
)


Member: TypeAlias = tuple[int, int, int]
"""The number of a grouping, a visitor, and the place of their value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grouping:
    """What divides visitors, with its values as JSON; `number` stands for it among experiments."""

    number: int
    attribute: str
    values: tuple[str, ...]


def groupings(session: Session, experiment: int) -> list[Grouping]:
    """Every attribute that makes a few groups of the visitors exposed to an experiment.

    Only what was known before the exposure counts: what came later may be the treatment's doing.
    """
    query = (
        select(col(Attribute.key))
        .join(Exposure, KNOWN_BEFORE)
        .where(col(Exposure.experiment_id) == experiment)
        .group_by(col(Attribute.key))
        .having(func.count(VALUE.distinct()).between(FEWEST_VALUES, MOST_VALUES))
        .order_by(col(Attribute.key))
    )
    keys = session.connection().execute(query).scalars().all()
    return [
        Grouping(number=-place, attribute=key, values=_values(session, experiment, key))
        for place, key in enumerate(keys, start=1)
    ]


def members(session: Session, experiment: int, found: Sequence[Grouping]) -> list[Member]:
    """Who is in which group by an attribute."""
    rows: list[Member] = []
    for grouping in found:
        places = {value: place for place, value in enumerate(grouping.values)}
        query = (
            select(col(Exposure.visitor_id), VALUE)
            .join(Attribute, KNOWN_BEFORE)
            .where(
                col(Exposure.experiment_id) == experiment, col(Attribute.key) == grouping.attribute
            )
        )
        rows += [
            (grouping.number, visitor, places[value])
            for visitor, value in session.connection().execute(query)
        ]
    return rows


def as_exposures(rows: Sequence[Member]) -> pa.Table:
    """Members as exposures to the number of the grouping, in the arm of the value's place."""
    wide = [(0, number, visitor, place, 0, 0) for number, visitor, place in rows]
    return table_of(zip(*wide, strict=True) if wide else ((),) * len(EXPOSURE), EXPOSURE)


def _values(session: Session, experiment: int, key: str) -> tuple[str, ...]:
    query = (
        select(VALUE)
        .distinct()
        .join(Exposure, KNOWN_BEFORE)
        .where(col(Exposure.experiment_id) == experiment, col(Attribute.key) == key)
    )
    return tuple(sorted(session.connection().execute(query).scalars()))
