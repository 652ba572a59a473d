"""Reading events, who sends them, and what was refused."""

from datetime import datetime, timedelta
from typing import TypeVar

from sqlmodel import Session, col, func, select
from sqlmodel.sql.expression import SelectOfScalar

from experiments.accounts import queries as accounts
from experiments.accounts.schemas import Scope
from experiments.assignment.queries import visitor_id
from experiments.errors import NotFoundError
from experiments.events.models import Event, RejectedEvent, Sender
from experiments.events.schemas import EventOut, Liveness, ReasonOut, RejectedOut, SenderOut

Row = TypeVar("Row", Event, RejectedEvent)
PAGE = 50
SENDING_WITHIN = timedelta(minutes=5)
QUIET_WITHIN = timedelta(days=1)


def visitor_events(
    session: Session, value: str, *, before: int | None = None, limit: int = PAGE
) -> list[EventOut]:
    """What the visitor with this id did, the newest first, older than event `before` if given.

    Raises:
        NotFoundError: when nobody with that id was ever seen.
    """
    found = visitor_id(session, value)
    if found is None:
        raise NotFoundError("visitor", value)
    query = select(Event).where(Event.visitor_id == found)
    rows = session.exec(_newest(query, Event, before=before, limit=limit))
    return [EventOut.model_validate(row) for row in rows]


def recent(session: Session, *, before: int | None = None, limit: int = PAGE) -> list[EventOut]:
    """What anybody did, the newest first, older than event `before` if given."""
    rows = session.exec(_newest(select(Event), Event, before=before, limit=limit))
    return [EventOut.model_validate(row) for row in rows]


def rejected(
    session: Session, *, reason: str = "", before: int | None = None, limit: int = PAGE
) -> list[RejectedOut]:
    """What was refused (for this reason), the newest first, older than `before` if given."""
    query = select(RejectedEvent)
    if reason:
        query = query.where(RejectedEvent.error == reason)
    rows = session.exec(_newest(query, RejectedEvent, before=before, limit=limit))
    return [RejectedOut.model_validate(row) for row in rows]


def reasons(session: Session, *, limit: int = PAGE) -> list[ReasonOut]:
    """Why events were refused, the most frequent reason first."""
    count, last_at = func.count(), func.max(RejectedEvent.received_at)
    query = (
        select(RejectedEvent.error, count, last_at)
        .group_by(RejectedEvent.error)
        .order_by(count.desc(), RejectedEvent.error)
        .limit(limit)
    )
    return [
        ReasonOut(error=error, count=number, last_at=last)
        for error, number, last in session.exec(query)
    ]


def senders(session: Session, *, now: datetime) -> list[SenderOut]:
    """Every source that ever sent an event and every token that may, by name."""
    names = {
        f"token:{token.id}": token.name
        for token in accounts.tokens(session)
        if Scope.INGEST in token.scopes and token.revoked_at is None
    }
    last = dict(session.exec(select(Sender.source_key, Sender.last_at)).all())
    found = [
        _sender(key, names.get(key, key), last_at=last.get(key), now=now) for key in names | last
    ]
    return sorted(found, key=lambda sender: (sender.name, sender.source_key))


def _sender(key: str, name: str, *, last_at: datetime | None, now: datetime) -> SenderOut:
    age = None if last_at is None else max(now - last_at, timedelta())
    return SenderOut(
        source_key=key,
        name=name,
        last_at=last_at,
        age_seconds=None if age is None else int(age.total_seconds()),
        liveness=_liveness(age),
    )


def _liveness(age: timedelta | None) -> Liveness:
    if age is None:
        return Liveness.NEVER
    if age <= SENDING_WITHIN:
        return Liveness.SENDING
    return Liveness.QUIET if age <= QUIET_WITHIN else Liveness.SILENT


def _newest(
    query: SelectOfScalar[Row], table: type[Row], *, before: int | None, limit: int
) -> SelectOfScalar[Row]:
    if before is not None:
        query = query.where(col(table.id) < before)
    return query.order_by(col(table.id).desc()).limit(limit)
