"""Answering requests: climb the ladder, then write what is new and nothing else."""

from datetime import datetime, timedelta

from sqlmodel import Session

from experiments.assignment import queries as visitors
from experiments.assignment import service as assignment
from experiments.assignment.bucketing import bucket
from experiments.assignment.identity import Claim
from experiments.assignment.schemas import AliasKind, AssignedBy, Known
from experiments.design.schemas import ExperimentOut
from experiments.errors import InvalidError
from experiments.journeys.schemas import Exposing
from experiments.resolution import overrides
from experiments.resolution.enrolment import Question
from experiments.resolution.ladder import Answer, Place, Resolved, climb
from experiments.resolution.overrides import Forced
from experiments.resolution.ruleset import Enrolment, Ruleset
from experiments.resolution.schemas import (
    ExplainOut,
    PreviewIn,
    PreviewOut,
    ResolutionOut,
    ResolveIn,
    RungOut,
    SlotOut,
)


def resolve(
    session: Session,
    ruleset: Ruleset,
    asked: ResolveIn,
    *,
    forced: Forced | None = None,
    now: datetime,
) -> ResolutionOut:
    """What to show; new assignments, and exposures where showing counts, are written."""
    known = _known(session, asked)
    resolved = _climbed(session, ruleset, asked, known=known, forced=forced)
    if asked.visitor and any(item.is_new for item in _enrolments(resolved)):
        known = _assign(session, resolved, visitor=asked.visitor, now=now)
        # Another request may have been first, under another id of the same person: what is
        # stored is shown.
        resolved = _climbed(session, ruleset, asked, known=known, forced=forced)
    if known.visitor_id is not None:
        _expose(session, resolved, known=known, visitor_id=known.visitor_id, now=now)
    return ResolutionOut.model_validate(_outline(ruleset, asked, resolved))


def explain(
    session: Session, ruleset: Ruleset, asked: ResolveIn, *, forced: Forced | None = None
) -> ExplainOut:
    """What would be shown and what every rung says; writes nothing."""
    known = _known(session, asked)
    question = _question(session, ruleset, asked, known=known, forced=forced)
    resolved = climb(ruleset, _place(asked), question, traced=True)
    rungs = {
        answer.slot: [RungOut.model_validate(tried) for tried in answer.tried]
        for answer in resolved.answers
    }
    return ExplainOut.model_validate({**_outline(ruleset, asked, resolved), "rungs": rungs})


def without_storage(ruleset: Ruleset, asked: ResolveIn) -> ResolutionOut:
    """What to show while the database is away: the standard content, and no test is counted."""
    resolved = climb(ruleset, _place(asked), Question(fallback=asked.fallback))
    return ResolutionOut.model_validate(_outline(ruleset, asked, resolved))


def preview(experiment: ExperimentOut, data: PreviewIn, *, key: str, now: datetime) -> PreviewOut:
    """A token that shows one variant to whoever sends it; never assigned, never counted.

    Raises:
        InvalidError: when the experiment has no such variant.
    """
    if data.variant not in {variant.key for variant in experiment.variants}:
        known = ", ".join(variant.key for variant in experiment.variants)
        raise InvalidError.at("/variant", f"is not a variant of the experiment; use one of {known}")
    expires_at = now + timedelta(hours=data.hours)
    forced = Forced(experiment=experiment.key, variant=data.variant)
    return PreviewOut(
        experiment=experiment.key,
        variant=data.variant,
        token=overrides.sign(forced, key=key, expires_at=expires_at),
        expires_at=expires_at,
    )


def _known(session: Session, asked: ResolveIn) -> Known:
    return Known() if asked.visitor is None else visitors.known(session, asked.visitor)


def _place(asked: ResolveIn) -> Place:
    return Place(asked.journey, asked.touchpoint, tuple(dict.fromkeys(asked.slots)))


def _climbed(
    session: Session, ruleset: Ruleset, asked: ResolveIn, *, known: Known, forced: Forced | None
) -> Resolved:
    question = _question(session, ruleset, asked, known=known, forced=forced)
    return climb(ruleset, _place(asked), question)


def _question(
    session: Session, ruleset: Ruleset, asked: ResolveIn, *, known: Known, forced: Forced | None
) -> Question:
    journey = ruleset.journeys.get(asked.journey)
    touchpoint = journey and journey.touchpoints.get(asked.touchpoint)
    attributes = dict(asked.context)
    if touchpoint and touchpoint.reads_attributes and known.visitor_id is not None:
        attributes = visitors.attributes(session, known.visitor_id) | attributes
    if asked.visitor is not None:
        attributes["id"] = asked.visitor
    return Question(
        visitor=asked.visitor,
        attributes=attributes,
        arms=known.arms,
        forced=forced,
        preview_refused=bool(asked.preview) and forced is None,
        fallback=asked.fallback,
    )


def _enrolments(resolved: Resolved) -> list[Enrolment]:
    return [answer.enrolment for answer in resolved.answers if answer.enrolment is not None]


def _assign(session: Session, resolved: Resolved, *, visitor: str, now: datetime) -> Known:
    visitor_id = assignment.visitor(session, visitor, kind=AliasKind.ANONYMOUS, now=now)
    for item in _enrolments(resolved):
        if not item.is_new:
            continue
        claim = Claim(
            variant_id=item.arm.id,
            phase_id=item.experiment.phase_id,
            bucket=bucket(item.experiment.salt, visitor),
            propensity=item.arm.weight,
            method=AssignedBy.HASH,
            assigned_at=now,
            contaminated=False,
        )
        assignment.assign(session, claim, experiment_id=item.experiment.id, visitor_id=visitor_id)
    return visitors.known(session, visitor)


def _expose(
    session: Session, resolved: Resolved, *, known: Known, visitor_id: int, now: datetime
) -> None:
    touchpoint = resolved.touchpoint
    if touchpoint is None or touchpoint.expose is not Exposing.ON_RESOLVE:
        return
    for item in _enrolments(resolved):
        if item.is_counted:
            stored = known.arms[item.experiment.id]
            assignment.expose(
                session,
                experiment_id=item.experiment.id,
                visitor_id=visitor_id,
                variant_id=stored.variant_id,
                phase_id=stored.phase_id,
                at=now,
            )


def _outline(ruleset: Ruleset, asked: ResolveIn, resolved: Resolved) -> dict[str, object]:
    point = resolved.touchpoint
    return {
        "visitor": asked.visitor,
        "journey": asked.journey,
        "journey_version": resolved.version,
        "touchpoint": asked.touchpoint,
        "stage": None if point is None else point.stage,
        "ruleset": ruleset.version,
        "slots": {answer.slot: _slot(answer) for answer in resolved.answers},
    }


def _slot(answer: Answer) -> SlotOut:
    enrolment = answer.enrolment
    return SlotOut(
        value=answer.shown.value,
        source=answer.rung,
        origin=answer.shown.origin,
        reason=answer.reason,
        experiment=None if enrolment is None else enrolment.experiment.key,
        variant=None if enrolment is None else enrolment.arm.key,
    )
