"""Keeping and forgetting what could not be stored."""

from datetime import datetime

from sqlalchemy import Connection, insert
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, col, delete

from experiments.errors import NotStoredError
from experiments.inbox.models import DeadLetter
from experiments.logs import logger

LONGEST_BODY_KEPT = 4000
LONGEST_ERROR_KEPT = 500

log = logger("inbox")


def set_aside(
    connection: Connection, error: Exception, *, kind: str, body: str, at: datetime
) -> NotStoredError:
    """Keep what the database refused, with the reason; the error to tell whoever sent it."""
    reason = str(error.orig if isinstance(error, DBAPIError) else error) or repr(error)
    bury(connection, kind=kind, error=reason, body=body, at=at)
    log.warning("an item could not be stored", kind=kind, error=reason)
    return NotStoredError(reason)


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
