"""Visitors under whose number moved rows stand although they are somebody else, or forgotten."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlmodel import Session, col, func, select

from experiments.assignment.models import Exposure, Visitor
from experiments.columnar.models import ColumnarErasure
from experiments.deferred import Deferred

if TYPE_CHECKING:
    import pyarrow as pa
else:
    pa = Deferred("pyarrow")


def strays(session: Session) -> pa.Table:
    """Their numbers, and under which number their events count; none for whoever was forgotten.

    Exposures of whoever turned out to be another have been moved again under the other's number.
    """
    merged = select(Visitor.id, Visitor.merged_into).where(col(Visitor.merged_into).is_not(None))
    others = dict(session.exec(merged).all())
    rows = others | dict.fromkeys(session.exec(select(ColumnarErasure.visitor_id)).all())
    columns = [
        pa.array(rows.keys(), pa.int64()),
        pa.array(rows.values(), pa.int64()),
        pa.array((number in others for number in rows), pa.bool_()),
    ]
    return pa.table(columns, names=["visitor", "kept", "is_merged"])


def forgotten(session: Session) -> pa.Table:
    """The numbers of all who were forgotten."""
    numbers = session.exec(select(Visitor.id).where(col(Visitor.erased_at).is_not(None))).all()
    return pa.table([pa.array(numbers, pa.int64())], names=["visitor"])


def newest_visitor(session: Session) -> int:
    """The highest number that a visitor has."""
    return session.exec(select(func.max(Visitor.id))).one() or 0


def exposures_up_to(session: Session, mark: int) -> int:
    """How many exposures stand that have an id up to `mark`; the files have more if some changed.

    An exposure that changes gets a new id and is moved again.
    """
    # SQLite counts a whole table by its pages, ten times as fast as by a condition.
    everything = session.exec(select(func.count()).select_from(Exposure)).one()
    return everything - session.exec(select(func.count()).where(col(Exposure.id) > mark)).one()
