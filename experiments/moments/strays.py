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
    """Their numbers, and under which number their rows count; none for whoever was forgotten."""
    merged = select(Visitor.id, Visitor.merged_into).where(col(Visitor.merged_into).is_not(None))
    forgotten = session.exec(select(ColumnarErasure.visitor_id)).all()
    rows = dict(session.exec(merged).all()) | dict.fromkeys(forgotten)
    return pa.table(
        {"visitor": pa.array(rows.keys(), pa.int64()), "kept": pa.array(rows.values(), pa.int64())}
    )


def newest_visitor(session: Session) -> int:
    """The highest number that a visitor has."""
    return session.exec(select(func.max(Visitor.id))).one() or 0


def exposures_up_to(session: Session, mark: int) -> int:
    """How many exposures stand that have an id up to `mark`; the files have more if some changed.

    An exposure that changes gets a new id and is moved again.
    """
    return session.exec(select(func.count()).where(col(Exposure.id) <= mark)).one()
