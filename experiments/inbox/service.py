"""Keeping and forgetting what could not be stored."""

from datetime import datetime

from sqlalchemy import Connection, insert
from sqlmodel import Session, col, delete

from experiments.inbox.models import DeadLetter

LONGEST_BODY_KEPT = 4000
LONGEST_ERROR_KEPT = 500


def bury(connection: Connection, *, kind: str, error: str, body: str, at: datetime) -> None:
    """Keep an item that could not be stored, in text that every database can hold."""
    row = {
        "kind": kind,
        "error": _storable(error)[:LONGEST_ERROR_KEPT],
        "body": _storable(body)[:LONGEST_BODY_KEPT],
        "at": at,
    }
    connection.execute(insert(DeadLetter), row)


def drop_dead_letters(session: Session, *, before: datetime) -> int:
    """Forget what could not be stored before a time; how many items there were."""
    old = delete(DeadLetter).where(col(DeadLetter.at) < before)
    return session.exec(old).rowcount


def _storable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode().replace("\x00", "\\u0000")
