"""Writing down what an ended experiment teaches, saying it better, and testing it anew."""

from datetime import datetime

from numpy.random import Generator
from sqlmodel import Session, select

from experiments.analysis.queries import latest_run
from experiments.analysis.schemas import RunOut, Trust
from experiments.analysis.trust import trust
from experiments.audit import queries as audit_queries
from experiments.audit import service as audit
from experiments.audit.schemas import Actor
from experiments.database import insert_once
from experiments.decisions.queries import decisions
from experiments.decisions.schemas import DecisionOut, Outcome
from experiments.design import queries as designs
from experiments.design import service as design
from experiments.design.schemas import ExperimentOut, Purpose
from experiments.errors import NotFoundError
from experiments.journeys import queries as journeys
from experiments.learnings import queries
from experiments.learnings.models import Learning
from experiments.learnings.redrafting import again, free_key
from experiments.learnings.schemas import LearningIn, LearningOut
from experiments.learnings.telling import REVIEW_AFTER, End, lesson

OPEN = (Outcome.CONTINUE, Outcome.DEMOTE)
"""Outcomes that do not end a test."""


def learn(session: Session, key: str, *, actor: Actor, now: datetime) -> LearningOut | None:
    """Write down what an ended test teaches, once; nothing while it goes on.

    Raises:
        NotFoundError: when there is no such experiment.
    """
    found = designs.experiment(session, key)
    if found.ended_at is None or found.purpose is not Purpose.TEST:
        return None
    row = _row(session, found, ended_at=found.ended_at, now=now)
    if insert_once(session, row):
        made = queries.of_experiment(session, key)
        detail = {"learning": None if made is None else made.id, "strength": row.strength}
        audit.record(
            session,
            "learning.written",
            subject=("experiment", key),
            actor=actor,
            now=now,
            reason=row.statement,
            detail=detail,
        )
    return queries.of_experiment(session, key)


def edit(
    session: Session, number: int, data: LearningIn, *, actor: Actor, now: datetime
) -> LearningOut:
    """Say it better; the evidence, the strength and the first words stay.

    Raises:
        NotFoundError: when there is no such learning.
    """
    row = _locked(session, number)
    before = queries.learning(session, number)
    row.statement, row.persona = data.statement, data.persona
    row.tags = queries.spaced(sorted(set(data.tags)))
    row.words = _words(row, designs.named(session, [before.experiment])[before.experiment])
    row.edited_at = now
    session.flush()
    after = queries.learning(session, number)
    audit.record(
        session,
        "learning.edited",
        subject=("learning", str(number)),
        actor=actor,
        now=now,
        detail={
            field: {"before": getattr(before, field), "after": getattr(after, field)}
            for field in ("statement", "persona", "tags")
            if getattr(before, field) != getattr(after, field)
        },
    )
    return after


def retest(
    session: Session, number: int, *, rng: Generator, actor: Actor, now: datetime
) -> ExperimentOut:
    """Draft the experiment of a learning anew; a second time gives the same draft.

    Raises:
        NotFoundError: when there is no such learning.
        InvalidError: when the journey or the layer no longer is.
    """
    row = _locked(session, number)
    known = queries.learning(session, number)
    if known.retest is not None:
        return designs.experiment(session, known.retest)
    found = designs.experiment(session, known.experiment)
    shown_then = _payload(session, found, found.base_version)
    standard = journeys.standard(session, found.journey)
    shown_now = None if standard is None else _payload(session, found, standard.number)
    data = again(
        found,
        key=free_key(found.key, queries.redrafts(session, found.key)),
        because=f"On {known.ended_at:%d %B %Y} we learned: {known.statement}",
        shown_then=shown_then,
        shown_now=shown_now,
    )
    made = design.create(session, data, rng=rng, actor=actor, now=now)
    row.retest_id, row.retested_at = made.id, now
    session.flush()
    audit.record(
        session,
        "learning.retested",
        subject=("learning", str(number)),
        actor=actor,
        now=now,
        detail={"experiment": made.key},
    )
    return made


def held(session: Session, number: int) -> LearningOut:
    """The learning as it is, which nobody else can change until the transaction ends.

    Raises:
        NotFoundError: when there is none with that number.
    """
    _locked(session, number)
    return queries.learning(session, number)


def _locked(session: Session, number: int) -> Learning:
    query = select(Learning).where(Learning.id == number).with_for_update()
    row = session.exec(query.execution_options(populate_existing=True)).one_or_none()
    if row is None:
        raise NotFoundError("learning", number)
    return row


def _row(session: Session, found: ExperimentOut, *, ended_at: datetime, now: datetime) -> Learning:
    graph = journeys.version(session, found.journey, found.base_version).graph
    point = graph.touchpoint(found.touchpoint)
    holds = (stage.key for stage in graph.stages if point in stage.touchpoints)
    run = latest_run(session, found.key)
    said = lesson(
        End(
            experiment=found,
            touchpoint=found.touchpoint if point is None else point.name,
            run=run,
            decision=_decision(session, found.key),
            trust=None if run is None else _trust(run),
            reason=_reason(session, found.key),
        )
    )
    row = Learning(
        experiment_id=found.id,
        journey_id=journeys.journey(session, found.journey).id,
        stage=next(holds, ""),
        touchpoint=found.touchpoint,
        slot=found.slot,
        statement=said.statement,
        written=said.statement,
        words="",
        strength=said.strength,
        evidence=said.evidence.model_dump(mode="json"),
        ended_at=ended_at,
        review_by=ended_at + REVIEW_AFTER[said.strength],
        created_at=now,
    )
    row.words = _words(row, found)
    return row


def _words(row: Learning, found: ExperimentOut) -> str:
    parts = (row.statement, found.name, found.key, row.stage, row.touchpoint, row.persona, row.tags)
    return " ".join(parts).casefold()


def _trust(run: RunOut) -> Trust:
    return trust(run.readout.quality, at=run.as_of, enrolling=False)


def _decision(session: Session, key: str) -> DecisionOut | None:
    """The decision that ended the experiment, if it was not a person."""
    return next((item for item in decisions(session, key) if item.outcome not in OPEN), None)


def _reason(session: Session, key: str) -> str:
    """Why it ended, in the words of whoever ended it."""
    log = audit_queries.entries(session, subject_key=key)
    endings = (item for item in log if item.action in {"experiment.aborted", "experiment.maturing"})
    return next((item.reason for item in endings if item.reason), "")


def _payload(session: Session, found: ExperimentOut, number: int) -> object:
    """What the slot of the experiment showed in a version of the journey."""
    graph = journeys.version(session, found.journey, number).graph
    slot = graph.slot(found.touchpoint, found.slot)
    if slot is None:
        return None
    return journeys.content(session, found.journey, slot.content, slot.content_version).payload
