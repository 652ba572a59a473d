"""A test mail: whether the mail server takes what we send."""

from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime

from sqlalchemy import Engine

from experiments.audit import service as audit
from experiments.audit.schemas import Actor
from experiments.database import transaction
from experiments.delivery.couriers import bring
from experiments.delivery.schemas import Channel, Message, TrialOut
from experiments.delivery.service import attempt
from experiments.settings import Settings

SUBJECT = "A test by Desireline"


def try_mail(
    engine: Engine, settings: Settings, recipient: str, *, actor: Actor, now: datetime
) -> TrialOut:
    """Send a mail past the outbox, note it, and say what happened."""
    mail = EmailMessage()
    mail["From"], mail["Subject"] = settings.mail_from, SUBJECT
    mail["Date"] = format_datetime(now)
    mail.set_content(f"Mail works: this came from {settings.base_url}.\n")
    message = Message(
        key="",
        channel=Channel.MAIL,
        recipient=recipient,
        subject=SUBJECT,
        content=mail.as_string(),
    )
    told = attempt(message, lambda parcel: bring(parcel, settings, now=now))
    with transaction(engine) as session:
        audit.record(
            session,
            "mail.tested",
            subject=("mail", settings.smtp_host),
            actor=actor,
            now=now,
            detail={"taken": told.taken},
        )
    return told
