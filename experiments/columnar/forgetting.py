"""Taking the events of forgotten visitors out of the files."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import Engine
from sqlmodel import Session, col, delete, func, or_, select

from experiments.assignment.models import Visitor
from experiments.columnar import manifest, queries
from experiments.columnar.encoding import rows_of
from experiments.columnar.location import Location
from experiments.columnar.models import ColumnarErasure
from experiments.columnar.schemas import FileOut, Kind, MarkOut
from experiments.columnar.storing import replace
from experiments.database import insert_once, transaction
from experiments.deferred import Deferred
from experiments.errors import DamagedError
from experiments.events.models import Event
from experiments.logs import logger

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.compute as pc
else:
    pa = Deferred("pyarrow")
    pc = Deferred("pyarrow.compute")


log = logger("columnar")


def ask(session: Session, visitor: int, *, now: datetime) -> int:
    """Note that a visitor's events must go from the files; how many have been moved by now.

    To be asked before their rows in SQL are deleted.
    """
    mark = queries.mark(session, Kind.EVENT)
    merged = select(Visitor.id).where(or_(Visitor.id == visitor, Visitor.merged_into == visitor))
    for number in session.exec(merged).all():
        insert_once(session, ColumnarErasure(visitor_id=int(number or 0), asked_at=now))
    moved = select(func.count()).where(
        col(Event.visitor_id) == visitor, col(Event.id) <= mark.last_id
    )
    return session.exec(moved).one()


def fulfil(engine: Engine, location: Location, *, now: datetime) -> int:
    """Write every file anew that holds events of forgotten visitors; how many files.

    A mover that read the rows before they were deleted is refused when it is done, because this
    changes the manifest in any case.

    Raises:
        DamagedError: when a file cannot be read; all others are done then.
    """
    with transaction(engine) as session:
        visitors = list(session.exec(select(ColumnarErasure.visitor_id)))
        if not visitors:
            return 0
        seen = manifest.opened(session, Kind.EVENT)
        files = queries.files(session, Kind.EVENT)
    changed, damaged = 0, None
    for file in files:
        try:
            seen, is_changed = _without(engine, location, seen, file, visitors, now=now)
        except DamagedError as error:
            damaged = error
            continue
        changed += is_changed
    if damaged is not None:
        raise damaged
    with transaction(engine) as session:
        manifest.change(session, seen, adds=[], now=now)
        done = delete(ColumnarErasure).where(col(ColumnarErasure.visitor_id).in_(visitors))
        session.exec(done)
    log.info("took out forgotten visitors", visitors=len(visitors), files=changed)
    return changed


def _without(
    engine: Engine,
    location: Location,
    seen: MarkOut,
    file: FileOut,
    visitors: Sequence[int],
    *,
    now: datetime,
) -> tuple[MarkOut, bool]:
    gone = pa.array(visitors, pa.int64())
    theirs = pc.is_in(rows_of(location, file, ["visitor"]).column("visitor"), value_set=gone)
    if not pc.any(theirs).as_py():
        return seen, False
    kept = rows_of(location, file).filter(pc.invert(theirs))
    return replace(engine, location, seen, [file], kept, now=now), True
