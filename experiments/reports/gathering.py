"""Collecting what was known at a moment: nothing later than `as_of` is ever read."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from experiments.analysis.schemas import Trust
from experiments.audit.models import AuditEntry
from experiments.decisions.shipped import shipped
from experiments.design.models import Experiment
from experiments.design.schemas import Purpose
from experiments.journeys import queries as journeys
from experiments.journeys.models import Journey
from experiments.probation.track_record import track_record
from experiments.reports.funnel import funnel
from experiments.reports.judgements import judgements, lamp, latest_sentences
from experiments.reports.learned import due, learned
from experiments.reports.probation import probations
from experiments.reports.promotions import approvals, taken_back
from experiments.reports.schemas import (
    Facts,
    JourneyChange,
    JourneyFunnel,
    OnProbation,
    Waiting,
)
from experiments.reports.trust import UNDECIDED, alarms, lights, states
from experiments.reports.weeks import bounds
from experiments.reports.wording import reworded

NO_LOOK = "It has not been looked at yet."


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """The part of a week that is over when its report is written."""

    since: datetime
    until: datetime
    as_of: datetime


def gather(session: Session, week: str, *, as_of: datetime) -> Facts:
    """Everything that happened in the week, as it was known at `as_of`."""
    since, until = bounds(week)
    period = Period(since=since, until=min(until, as_of), as_of=as_of)
    known = probations(session, as_of=period.until)
    trust = lights(session, since=since, until=period.until)
    return Facts(
        week=week,
        since=since,
        until=until,
        as_of=as_of,
        changes=changes(session, since=since, until=period.until),
        judgements=judgements(session, trust, since=since, until=period.until),
        taken_back=taken_back(session, since=since, until=period.until),
        approvals=approvals(session, as_of=as_of),
        waiting=_waiting(session, trust, as_of),
        probations=[
            OnProbation.model_validate(item)
            for item in known
            if item.ended_at is None or item.ended_at >= since
        ],
        track_record=track_record(known),
        shipped=shipped(session, as_of=period.until),
        alarms=alarms(session, trust),
        learned=learned(session, since=since, until=period.until),
        due=due(session, since=since, until=period.until, as_of=as_of),
        funnels=_funnels(session, period),
    )


def changes(session: Session, *, since: datetime, until: datetime) -> list[JourneyChange]:
    """What became standard in [since, until).

    From the audit trail, which keeps what a version's own row forgets when it is superseded.
    """
    query = select(AuditEntry).where(
        AuditEntry.action == "journey.published",
        col(AuditEntry.at) >= since,
        col(AuditEntry.at) < until,
    )
    names = {row.key: row.name for row in session.exec(select(Journey))}
    return [
        _change(session, entry, names[entry.subject_key])
        for entry in session.exec(query.order_by(col(AuditEntry.id)))
    ]


def _change(session: Session, entry: AuditEntry, name: str) -> JourneyChange:
    number, before = entry.detail["number"], entry.detail["before"]
    provenance: Mapping[str, object] = entry.detail["provenance"]
    experiment, earlier = provenance.get("experiment"), provenance.get("revert_to")
    return JourneyChange(
        journey=entry.subject_key,
        name=name,
        version=number,
        at=entry.at,
        by=entry.actor,
        reason=entry.reason,
        experiment=experiment if isinstance(experiment, str) else None,
        reverts_to=earlier if isinstance(earlier, int) else None,
        reworded=reworded(session, entry.subject_key, before, number) if before else [],
        changes=journeys.diff(session, entry.subject_key, before, number) if before else [],
    )


def _waiting(session: Session, trust: Mapping[str, Trust], as_of: datetime) -> list[Waiting]:
    known = states(session, as_of)
    sentences = latest_sentences(session, as_of=as_of)
    query = (
        select(Experiment, Journey.key)
        .where(Experiment.journey_id == Journey.id, Experiment.purpose == Purpose.TEST)
        .order_by(Experiment.key)
    )
    return [
        Waiting(
            experiment=row.key,
            name=row.name,
            journey=journey,
            state=known[row.key],
            needs=sentences.get(row.id or 0, NO_LOOK),
            trust=lamp(trust, row.key),
        )
        for row, journey in session.exec(query)
        if known.get(row.key) in UNDECIDED
    ]


def _funnels(session: Session, period: Period) -> list[JourneyFunnel]:
    """By the standard of that time: the newest one published before the period ended."""
    found = []
    for row in session.exec(select(Journey).order_by(Journey.key)):
        number = _standard_at(session, row.key, period.until)
        if number is None:
            continue
        stages = journeys.version(session, row.key, number).graph.stages
        counted = funnel(session, stages, until=period.until, received_by=period.as_of)
        found.append(JourneyFunnel(journey=row.key, name=row.name, stages=counted))
    return found


def _standard_at(session: Session, journey: str, at: datetime) -> int | None:
    query = (
        select(AuditEntry.detail)
        .where(AuditEntry.action == "journey.published", AuditEntry.subject_key == journey)
        .where(col(AuditEntry.at) < at)
        .order_by(col(AuditEntry.id).desc())
    )
    detail = session.exec(query).first()
    return None if detail is None else detail["number"]
