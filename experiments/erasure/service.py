"""Forgetting a visitor.

What tells who they were goes: ids, attributes, events, walks, logged answers, what was refused.
Assignments and exposures stay under a number that no id leads to, without the bucket that an id
could be tried against, so that the arms keep the sizes they were randomised to.
"""

from datetime import datetime

from sqlalchemy import ColumnElement
from sqlmodel import Session, SQLModel, col, delete, or_, select, update

from experiments.assignment.models import Alias, Assignment, Attribute, Visitor
from experiments.assignment.schemas import NO_BUCKET
from experiments.assignment.suppression import suppress, suppressed
from experiments.audit.schemas import Actor
from experiments.audit.service import record
from experiments.columnar import forgetting
from experiments.erasure import mentions
from experiments.erasure.schemas import ErasedOut
from experiments.errors import NotFoundError
from experiments.events.models import Event, RejectedEvent
from experiments.inbox.models import DeadLetter
from experiments.instances.models import JourneyInstance, StageTransition
from experiments.replay.models import LoggedResolution


def erase(session: Session, value: str, *, actor: Actor, now: datetime) -> ErasedOut:
    """Forget the visitor with this id, and let nothing bring them back; twice is as once.

    Raises:
        NotFoundError: when nobody with that id was ever seen.
    """
    row = _held(session, value)
    if row is None:
        if suppressed(session.connection(), [value]):
            return ErasedOut()
        raise NotFoundError("visitor", value)
    number = int(row.id or 0)
    ids = list(session.exec(select(Alias.value).where(Alias.visitor_id == number)))
    suppress(session.connection(), ids, at=now)
    row.erased_at = now
    session.flush()
    awaiting = forgetting.ask(session, number, now=now)
    erased = _forgotten(session, number, ids, awaiting)
    # By number: the audit trail must not keep what was asked to be forgotten.
    subject = ("visitor", str(number))
    record(
        session,
        "visitor.erased",
        subject=subject,
        actor=actor,
        now=now,
        detail=erased.model_dump(),
    )
    return erased


def _held(session: Session, value: str) -> Visitor | None:
    """Whose id this is, once nobody else writes about them."""
    query = select(Visitor).join(Alias, col(Alias.visitor_id) == col(Visitor.id))
    query = query.where(Alias.value == value).with_for_update(of=Visitor)
    row = session.exec(query.execution_options(populate_existing=True)).first()
    if row is not None and (row.merged_into is not None or row.erased_at is not None):
        return _held(session, value)  # it happened while this waited
    return row


def _forgotten(session: Session, number: int, ids: list[str], awaiting: int) -> ErasedOut:
    walks = select(JourneyInstance.id).where(JourneyInstance.visitor_id == number)
    _delete(session, StageTransition, col(StageTransition.instance_id).in_(walks))
    refused = _delete(session, RejectedEvent, mentions.of_refused(ids))
    return ErasedOut(
        events=_delete(session, Event, col(Event.visitor_id) == number),
        attributes=_delete(session, Attribute, col(Attribute.visitor_id) == number),
        journeys=_delete(session, JourneyInstance, col(JourneyInstance.visitor_id) == number),
        answers=_delete(session, LoggedResolution, mentions.of_answers(ids)),
        refused=refused + _delete(session, DeadLetter, mentions.of_dead_letters(ids)),
        assignments_kept=_anonymised(session, number),
        ids=_delete(session, Alias, col(Alias.visitor_id) == number),
        awaiting_tidy=awaiting,
    )


def _anonymised(session: Session, number: int) -> int:
    """How many arms stay; also those of whoever turned out to be this visitor."""
    merged = select(Visitor.id).where(Visitor.merged_into == number)
    theirs = or_(col(Assignment.visitor_id) == number, col(Assignment.visitor_id).in_(merged))
    return session.exec(update(Assignment).where(theirs).values(bucket=NO_BUCKET)).rowcount


def _delete(session: Session, table: type[SQLModel], mine: ColumnElement[bool]) -> int:
    return session.exec(delete(table).where(mine)).rowcount
