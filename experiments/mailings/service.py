"""Audiences subscribe, and their reports are written to the outbox when they are due."""

import json
from datetime import datetime
from urllib.parse import urlsplit

from sqlmodel import Session, col, select

from experiments.audit import service as audit
from experiments.audit.schemas import Actor
from experiments.delivery import queries as deliveries
from experiments.delivery.schemas import Channel, Message
from experiments.delivery.service import enqueue
from experiments.errors import InvalidError, NotFoundError
from experiments.journeys import queries as journeys
from experiments.mailings import mail, slack
from experiments.mailings.models import Subscription
from experiments.mailings.schedule import due_at
from experiments.mailings.schemas import SubscriptionIn, SubscriptionOut
from experiments.reports import queries as reports
from experiments.reports import weeks
from experiments.reports.audience import only
from experiments.reports.comparing import compare
from experiments.reports.letter import Letter
from experiments.reports.schemas import ReportOut
from experiments.reports.telling import tell
from experiments.settings import Settings


def subscribe(
    session: Session, data: SubscriptionIn, *, actor: Actor, now: datetime
) -> SubscriptionOut:
    """Add an audience.

    Raises:
        NotFoundError: when there is no such journey.
        InvalidError: when the endpoint is no living Slack channel.
    """
    if data.journey:
        journeys.journey(session, data.journey)
    channels = {
        item.id
        for item in deliveries.endpoints(session)
        if item.kind is Channel.SLACK and item.ended_at is None
    }
    if data.endpoint_id is not None and data.endpoint_id not in channels:
        raise InvalidError.at("/endpoint_id", "is no Slack endpoint in use; add one first")
    row = Subscription(**data.model_dump(), created_by=str(actor), created_at=now)
    session.add(row)
    session.flush()
    _record(session, row, "subscription.added", actor=actor, now=now)
    return SubscriptionOut.model_validate(row)


def end(session: Session, number: int, *, actor: Actor, now: datetime) -> None:
    """End a subscription; ending it twice changes nothing.

    Raises:
        NotFoundError: when there is none with that number.
    """
    row = session.get(Subscription, number)
    if row is None:
        raise NotFoundError("subscription", number)
    if row.ended_at is None:
        row.ended_at = now
        _record(session, row, "subscription.ended", actor=actor, now=now)


def subscriptions(session: Session) -> list[SubscriptionOut]:
    """Every audience that still gets reports, the newest first."""
    living = select(Subscription).where(col(Subscription.ended_at).is_(None))
    rows = session.exec(living.order_by(col(Subscription.id).desc()))
    return [SubscriptionOut.model_validate(row) for row in rows]


def enqueue_due(session: Session, settings: Settings, *, now: datetime) -> list[str]:
    """Write the newest report to the outbox for every audience whose hour has come, once."""
    week = weeks.ended_before(now)
    report = reports.find(session, week)
    if report is None:
        return []
    written = []
    for item in subscriptions(session):
        if not item.created_at <= due_at(item, week) <= now:
            continue
        for message in messages(session, report, item, settings, now=now):
            if enqueue(session, message, now=now):
                written.append(f"{item.audience} ({message.recipient})")
    return written


def messages(
    session: Session,
    report: ReportOut,
    subscription: SubscriptionOut,
    settings: Settings,
    *,
    now: datetime,
) -> list[Message]:
    """The report for one audience: a mail to each recipient, or a message to its channel."""
    letter = letter_for(session, report, subscription.journey)
    key = f"report:{report.week}:subscription:{subscription.id}"
    address = f"{settings.base_url}/reports/{report.week}"
    subject = f"{letter.title}: {letter.headline}"
    if subscription.endpoint_id is not None:
        return [
            Message(
                key=key,
                channel=Channel.SLACK,
                recipient=subscription.audience,
                subject=subject,
                content=json.dumps(slack.message(letter, address=address)),
                endpoint_id=subscription.endpoint_id,
            )
        ]
    host = urlsplit(settings.base_url).hostname
    envelope = mail.Envelope(
        sender=settings.mail_from,
        subject=subject,
        message_id=f"<report.{report.week}.{subscription.id}@{host}>",
        sent_at=now,
        address=address,
        base_url=settings.base_url,
    )
    content = mail.compose(letter, envelope).as_string()
    return [
        Message(
            key=f"{key}:{recipient}",
            channel=Channel.MAIL,
            recipient=recipient,
            subject=subject,
            content=content,
        )
        for recipient in subscription.recipients
    ]


def letter_for(session: Session, report: ReportOut, journey: str = "") -> Letter:
    """The words of a report, of one journey if named, beside the report before."""
    before = reports.before(session, report.week)
    part = report.model_copy(update={"body": only(report.body, journey)})
    comparison = None if before is None else compare(only(before.body, journey), part.body)
    return tell(part, comparison)


def _record(
    session: Session, row: Subscription, action: str, *, actor: Actor, now: datetime
) -> None:
    audit.record(
        session,
        action,
        subject=("subscription", str(row.id)),
        actor=actor,
        now=now,
        detail={"audience": row.audience, "journey": row.journey},
    )
