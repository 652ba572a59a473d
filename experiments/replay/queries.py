"""Answering for an earlier moment, and reading what was logged."""

from datetime import datetime, timedelta

from sqlalchemy import func
from sqlmodel import Session, col, select

from experiments.assignment.models import Assignment, Attribute
from experiments.assignment.queries import visitor_id
from experiments.assignment.schemas import Known, Standing, StoredArm
from experiments.audit.models import AuditEntry
from experiments.errors import NotFoundError
from experiments.instances import queries as instances
from experiments.replay.models import LoggedResolution
from experiments.replay.rewinding import ruleset_as_of
from experiments.replay.schemas import (
    AnswerOut,
    KnownThen,
    LoggedOut,
    ReplayedOut,
    ReplayIn,
    ReplayOut,
)
from experiments.resolution.ladder import Answer, Place, Resolved, climb
from experiments.resolution.resolver import Asker, question
from experiments.resolution.ruleset import Ruleset

LOGGED_SHOWN = 50


def replay(session: Session, asked: ReplayIn) -> ReplayOut:
    """What a visitor would have been shown, beside what was logged on that day.

    Raises:
        NotFoundError: when there was no such journey or touchpoint then.
    """
    logged_then = _logged_on_the_day(session, asked)
    noted = next((one for one in logged_then if one.at == asked.at and one.known), None)
    version = _version_at(session, asked.at) if noted is None else noted.ruleset
    rules = ruleset_as_of(session, version)
    found = answer(session, rules, asked) if noted is None else answer_again(rules, noted)
    if found.touchpoint is None and found.version is None:
        place = f"{asked.journey}/{asked.touchpoint}"
        raise NotFoundError("touchpoint at that time", place)
    return ReplayOut(
        **asked.model_dump(),
        ruleset=rules.version,
        journey_version=found.version,
        is_noted=noted is not None,
        slots={item.slot: _replayed(item) for item in found.answers},
        logged=logged_then,
    )


def answer(session: Session, rules: Ruleset, asked: ReplayIn) -> Resolved:
    """What the ladder says with these rules to what was stored of the visitor by then."""
    known = _known_by(session, asked.visitor, at=asked.at)
    asker = question(Asker(visitor=asked.visitor), known)
    return climb(rules, Place(asked.journey, asked.touchpoint), asker)


def answer_again(rules: Ruleset, item: LoggedOut) -> Resolved:
    """What the ladder says with these rules to what was noted with an answer."""
    then = item.known or KnownThen(attributes={}, arms={}, standing={})
    known = Known(
        arms={number: StoredArm(*arm) for number, arm in then.arms.items()},
        attributes=then.attributes,
        standing={number: Standing(*place) for number, place in then.standing.items()},
    )
    place = Place(item.journey, item.touchpoint, tuple(item.answers))
    return climb(rules, place, question(Asker(visitor=item.visitor), known))


def answer_out(found: Answer) -> AnswerOut:
    """The shape of an answer without what it shows."""
    met = found.enrolment
    return AnswerOut(
        source=found.rung,
        origin=found.shown.origin,
        experiment=None if met is None else met.experiment.key,
        variant=None if met is None else met.arm.key,
    )


def logged(session: Session, *, after: int = 0, limit: int = 1000) -> list[LoggedOut]:
    """What was logged, in the order in which it was answered, after the entry with this id."""
    query = select(LoggedResolution).where(col(LoggedResolution.id) > after)
    rows = session.exec(query.order_by(col(LoggedResolution.id)).limit(limit))
    return [LoggedOut.model_validate(row) for row in rows]


def _logged_on_the_day(session: Session, asked: ReplayIn) -> list[LoggedOut]:
    since = asked.at.replace(hour=0, minute=0, second=0, microsecond=0)
    query = (
        select(LoggedResolution)
        .where(
            LoggedResolution.visitor == asked.visitor,
            LoggedResolution.journey == asked.journey,
            LoggedResolution.touchpoint == asked.touchpoint,
            col(LoggedResolution.at) >= since,
            col(LoggedResolution.at) < since + timedelta(days=1),
        )
        .order_by(col(LoggedResolution.id))
        .limit(LOGGED_SHOWN)
    )
    return [LoggedOut.model_validate(row) for row in session.exec(query)]


def _version_at(session: Session, at: datetime) -> int:
    query = select(func.max(AuditEntry.id)).where(col(AuditEntry.at) <= at)
    return session.exec(query).one() or 0


def _known_by(session: Session, value: str, *, at: datetime) -> Known:
    """What was stored of a visitor by then."""
    number = visitor_id(session, value)
    if number is None:
        return Known()
    arms = select(Assignment).where(
        Assignment.visitor_id == number, col(Assignment.assigned_at) <= at
    )
    attributes = select(Attribute).where(Attribute.visitor_id == number, col(Attribute.as_of) <= at)
    return Known(
        visitor_id=number,
        arms={
            row.experiment_id: StoredArm(row.variant_id, row.phase_id, row.bucket)
            for row in session.exec(arms)
        },
        attributes={row.key: row.value for row in session.exec(attributes)},
        standing=instances.standing_at(session, number, at),
    )


def _replayed(found: Answer) -> ReplayedOut:
    return ReplayedOut(
        **answer_out(found).model_dump(), value=found.shown.value, reason=found.reason
    )
