"""Changing which files count: all at once, and only if nobody else did meanwhile."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import uuid4

from sqlmodel import Session, col, update

from experiments.columnar.models import ColumnarFile, ColumnarMark
from experiments.columnar.schemas import FileState, Kind, MarkOut
from experiments.database import insert_once
from experiments.errors import ConflictError


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What a file holds once it is on the disk."""

    file_id: int
    rows: int
    size: int
    first_id: int
    last_id: int
    first_visitor: int
    last_visitor: int
    sha256: str


def opened(session: Session, kind: Kind) -> MarkOut:
    """How far the rows of a kind have been moved, to be handed to `change` later."""
    row = session.get(ColumnarMark, kind, populate_existing=True)
    if row is None:
        insert_once(session, ColumnarMark(kind=kind))
        return MarkOut(kind=kind)
    return MarkOut.model_validate(row)


def announce(session: Session, kind: Kind, day: date, *, now: datetime) -> tuple[int, str]:
    """Note a file before its first byte is written, so that none is left that nobody knows."""
    name = f"{kind}/day={day.isoformat()}/{uuid4().hex}.parquet"
    row = ColumnarFile(kind=kind, name=name, state=FileState.WRITING, since=now, day=day)
    session.add(row)
    session.flush()
    return int(row.id or 0), name


def change(
    session: Session,
    seen: MarkOut,
    *,
    adds: Sequence[Written],
    drops: Collection[int] = (),
    last_id: int | None = None,
    now: datetime,
) -> MarkOut:
    """Let written files count and others no longer, and move the mark if `last_id` is given.

    Raises:
        ConflictError: when the manifest has changed since `seen`; nothing is changed then.
    """
    after = seen.model_copy(
        update={
            "version": seen.version + 1,
            "last_id": seen.last_id if last_id is None else last_id,
            "moved_at": seen.moved_at if last_id is None else now,
        }
    )
    guarded = (
        update(ColumnarMark)
        .where(col(ColumnarMark.kind) == seen.kind, col(ColumnarMark.version) == seen.version)
        .values(version=after.version, last_id=after.last_id, moved_at=after.moved_at)
    )
    if session.exec(guarded).rowcount != 1:
        raise _changed()
    for file in adds:
        _turn(session, {file.file_id}, FileState.WRITING, FileState.LIVE, now=now, told=file)
    _turn(session, drops, FileState.LIVE, FileState.DROPPED, now=now)
    return after


def _turn(
    session: Session,
    ids: Collection[int],
    before: FileState,
    after: FileState,
    *,
    now: datetime,
    told: Written | None = None,
) -> None:
    facts = (
        {}
        if told is None
        else {
            "rows": told.rows,
            "size": told.size,
            "first_id": told.first_id,
            "last_id": told.last_id,
            "first_visitor": told.first_visitor,
            "last_visitor": told.last_visitor,
            "sha256": told.sha256,
        }
    )
    turned = (
        update(ColumnarFile)
        .where(col(ColumnarFile.id).in_(ids), col(ColumnarFile.state) == before)
        .values(state=after, since=now, **facts)
    )
    if ids and session.exec(turned).rowcount != len(ids):
        raise _changed()


def _changed() -> ConflictError:
    return ConflictError("Somebody else changed the columnar store meanwhile; run it again.")
