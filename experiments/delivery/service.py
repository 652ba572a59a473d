"""Endpoints come and go; messages are written to the outbox and sent out of it."""

import base64
import json
import secrets
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from sqlalchemy import Engine
from sqlmodel import Session, col, select

from experiments.audit import service as audit
from experiments.audit.schemas import Actor
from experiments.database import insert_once, reading, transaction
from experiments.delivery import doubt
from experiments.delivery.models import Delivery, Endpoint
from experiments.delivery.queries import endpoint_out
from experiments.delivery.schemas import (
    Channel,
    Consignment,
    DeliveryState,
    EndpointIn,
    Message,
    NewEndpointOut,
    TrialOut,
)
from experiments.errors import NotDeliveredError, NotFoundError

# After the first try: a minute, five minutes, half an hour, then hours; two and a half days in all.
PAUSES = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 30, 120, 300, 600, 1200, 1440))
SECRET_BYTES = 32
GREETING = "This is a test by Desireline. Nothing happened."
MOST_AT_ONCE = 100
Bring = Callable[[Consignment], None]


def add_endpoint(
    session: Session, data: EndpointIn, *, actor: Actor, now: datetime
) -> NewEndpointOut:
    """Add an endpoint; the secret that signs webhooks is in the answer and never shown again."""
    key = base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()
    secret = f"whsec_{key}" if data.kind is Channel.WEBHOOK else ""
    row = Endpoint(
        kind=data.kind,
        name=data.name,
        url=data.url,
        secret=secret,
        events=sorted(set(data.events)),
        created_by=str(actor),
        created_at=now,
        collected_until=now,
    )
    session.add(row)
    session.flush()
    detail = {"kind": row.kind, "name": row.name, "events": row.events}
    _record(session, row, "endpoint.added", actor=actor, now=now, detail=detail)
    return NewEndpointOut.model_validate({**endpoint_out(row).model_dump(), "secret": secret})


def end_endpoint(session: Session, number: int, *, actor: Actor, now: datetime) -> None:
    """Tell an endpoint nothing any more; ending it twice changes nothing.

    Raises:
        NotFoundError: when there is none with that number.
    """
    row = _endpoint(session, number)
    if row.ended_at is None:
        _end(session, row, because="", now=now)
        _record(session, row, "endpoint.ended", actor=actor, now=now)


def enqueue(session: Session, message: Message, *, now: datetime) -> bool:
    """Write a message to the outbox; False when it was written before."""
    row = Delivery(
        key=message.key,
        channel=message.channel,
        endpoint_id=message.endpoint_id,
        recipient=message.recipient,
        subject=message.subject,
        content=message.content,
        state=DeliveryState.PENDING,
        next_at=now,
        created_at=now,
    )
    return insert_once(session, row)


def send_due(engine: Engine, bring: Bring, *, actor: Actor, now: datetime) -> dict[str, int]:
    """Send what is due, and count what was taken and what was not.

    A message is put off before it is tried, in a transaction of its own, so that two senders never
    try it at once and one that breaks a sender down is not tried again at once.
    """
    counts = {"sent": 0, "not taken": 0}
    for _ in range(MOST_AT_ONCE):
        with transaction(engine) as session:
            found = _claim(session, actor=actor, now=now)
        if found is None:
            break
        refusal = _refusal(found, bring)
        with transaction(engine) as session:
            _settle(session, found, refusal, actor=actor, now=now)
        counts["not taken" if refusal else "sent"] += 1
    return counts


def attempt(message: Message, bring: Bring) -> TrialOut:
    """Send a mail to try it out, past the outbox, and say what happened."""
    return _tried(Consignment(id=0, message=message, attempts=1), bring)


def try_endpoint(
    engine: Engine, number: int, bring: Bring, *, actor: Actor, now: datetime
) -> TrialOut:
    """Send a greeting to an endpoint and say what happened; no transaction waits for the answer.

    Raises:
        NotFoundError: when there is none with that number.
    """
    with reading(engine) as session:
        parcel = _greeting(_endpoint(session, number), now=now)
    told = _tried(parcel, bring)
    with transaction(engine) as session:
        detail = {"taken": told.taken}
        row = _endpoint(session, number)
        _record(session, row, "endpoint.tested", actor=actor, now=now, detail=detail)
    return told


def _greeting(row: Endpoint, *, now: datetime) -> Consignment:
    document = (
        {"text": GREETING}
        if row.kind == Channel.SLACK
        else {"type": "test", "timestamp": now.isoformat(), "data": {"words": GREETING}}
    )
    message = Message(
        key="",
        channel=Channel(row.kind),
        recipient=row.name,
        subject="test",
        content=json.dumps(document),
        endpoint_id=row.id,
    )
    return Consignment(id=0, message=message, attempts=1, url=row.url, secret=row.secret)


def _tried(parcel: Consignment, bring: Bring) -> TrialOut:
    refusal = _refusal(parcel, bring)
    if refusal is None:
        return TrialOut(taken=True, words=f"{parcel.message.recipient} has taken the test message.")
    return TrialOut(taken=False, words=str(refusal))


def _refusal(parcel: Consignment, bring: Bring) -> NotDeliveredError | None:
    try:
        bring(parcel)
    except NotDeliveredError as error:
        return error
    return None


def _claim(session: Session, *, actor: Actor, now: datetime) -> Consignment | None:
    query = (
        select(Delivery)
        .where(Delivery.state == DeliveryState.PENDING, col(Delivery.next_at) <= now)
        .order_by(col(Delivery.next_at), col(Delivery.id))
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    while (row := session.exec(query).first()) and doubt.is_given_up(row):
        row.state, row.error = DeliveryState.FAILED, doubt.GIVEN_UP
        _record_end(session, row, actor=actor, now=now)
    return None if row is None else _put_off(session, row, now=now)


def _put_off(session: Session, row: Delivery, *, now: datetime) -> Consignment:
    """Begin a try: whatever becomes of it, the next one is not at once."""
    content = row.content
    if doubt.is_doubtful(row):
        row.error = doubt.UNKNOWN
        content = doubt.marked(content) if row.channel == Channel.SLACK else content
    row.next_at = now + PAUSES[min(row.attempts, len(PAUSES) - 1)]
    row.attempts += 1
    endpoint = None if row.endpoint_id is None else session.get_one(Endpoint, row.endpoint_id)
    return Consignment(
        id=row.id,
        message=Message(
            key=row.key,
            channel=Channel(row.channel),
            recipient=row.recipient,
            subject=row.subject,
            content=content,
            endpoint_id=row.endpoint_id,
        ),
        attempts=row.attempts,
        url="" if endpoint is None else endpoint.url,
        secret="" if endpoint is None else endpoint.secret,
    )


def _settle(
    session: Session,
    parcel: Consignment,
    refusal: NotDeliveredError | None,
    *,
    actor: Actor,
    now: datetime,
) -> None:
    row = session.get_one(Delivery, parcel.id, with_for_update=True)
    if refusal is None:
        row.state, row.sent_at, row.content, row.error = DeliveryState.SENT, now, "", ""
    else:
        row.error = str(refusal)
        if refusal.gone or parcel.attempts > len(PAUSES):
            row.state = DeliveryState.FAILED
        if refusal.gone and row.endpoint_id is not None:
            endpoint = _endpoint(session, row.endpoint_id)
            _end(session, endpoint, because=str(refusal), now=now)
    if row.state != DeliveryState.PENDING:
        _record_end(session, row, actor=actor, now=now)


def _record_end(session: Session, row: Delivery, *, actor: Actor, now: datetime) -> None:
    audit.record(
        session,
        f"delivery.{row.state}",
        subject=("delivery", str(row.id)),
        actor=actor,
        now=now,
        reason=row.error,
        detail={"channel": row.channel, "subject": row.subject},
    )


def _end(session: Session, row: Endpoint, *, because: str, now: datetime) -> None:
    row.ended_at, row.ended_because = now, because
    query = select(Delivery).where(
        Delivery.endpoint_id == row.id, Delivery.state == DeliveryState.PENDING
    )
    for waiting in session.exec(query):
        waiting.state, waiting.error = DeliveryState.FAILED, because or "The endpoint was ended."
    session.flush()


def _endpoint(session: Session, number: int) -> Endpoint:
    found = session.get(Endpoint, number)
    if found is None:
        raise NotFoundError("endpoint", number)
    return found


def _record(
    session: Session,
    row: Endpoint,
    action: str,
    *,
    actor: Actor,
    now: datetime,
    detail: Mapping[str, object] | None = None,
) -> None:
    subject = ("endpoint", str(row.id))
    audit.record(session, action, subject=subject, actor=actor, now=now, detail=detail)
