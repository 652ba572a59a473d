"""Reading what could not be stored."""

from sqlmodel import Session, col, select

from experiments.inbox.models import DeadLetter
from experiments.inbox.schemas import DeadLetterOut

PAGE = 50


def dead_letters(
    session: Session, *, before: int | None = None, limit: int = PAGE
) -> list[DeadLetterOut]:
    """What could not be stored, the newest first, older than entry `before` if given."""
    query = select(DeadLetter).order_by(col(DeadLetter.id).desc()).limit(limit)
    if before is not None:
        query = query.where(col(DeadLetter.id) < before)
    return [DeadLetterOut.model_validate(row) for row in session.exec(query)]
