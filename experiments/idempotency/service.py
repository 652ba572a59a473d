"""Taking a key, keeping its answer, and forgetting both."""

from datetime import datetime, timedelta

from sqlmodel import Session, col, delete

from experiments.database import insert_once
from experiments.errors import ConflictError, InvalidError
from experiments.idempotency.models import KeptAnswer
from experiments.idempotency.schemas import Kept, Named

KEEP = timedelta(hours=24)
PLACE = "/Idempotency-Key"


def begin(session: Session, named: Named, *, now: datetime) -> Kept | None:
    """Take the key of a request; the answer if the same request was answered before.

    Raises:
        InvalidError: when the key was taken by another request.
        ConflictError: when the first request has not ended, or its answer cannot be told again.
    """
    drop_old(session, before=now - KEEP)
    row = KeptAnswer(
        token_id=named.token_id, key=named.key, fingerprint=named.fingerprint, begun_at=now
    )
    if insert_once(session, row):
        return None
    first = session.get_one(KeptAnswer, (named.token_id, named.key))
    if first.fingerprint != named.fingerprint:
        raise InvalidError.at(PLACE, "named another request before; give each request its own key")
    if first.status is None:
        message = (
            "The first request with this key has not ended. Wait for it; if it was cut off, look "
            "whether it had its effect before you send it with another key."
        )
        raise ConflictError(message)
    return Kept(status=first.status, body=first.body)


def finish(session: Session, named: Named, answer: Kept) -> None:
    """Keep the answer to a request whose key was taken."""
    row = session.get_one(KeptAnswer, (named.token_id, named.key))
    row.status, row.body = answer.status, answer.body
    session.flush()


def forget(session: Session, named: Named) -> None:
    """Give a key back, because its request changed nothing."""
    session.delete(session.get_one(KeptAnswer, (named.token_id, named.key)))
    session.flush()


def drop_old(session: Session, *, before: datetime) -> int:
    """Forget keys that were taken before a time; how many there were."""
    return session.exec(delete(KeptAnswer).where(col(KeptAnswer.begun_at) < before)).rowcount
