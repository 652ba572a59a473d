"""Answering requests in the shapes of the API: resolve, explain, and links to a preview."""

from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session

from experiments.assignment import queries as visitors
from experiments.design.schemas import ExperimentOut
from experiments.errors import InvalidError
from experiments.instances import queries as instances
from experiments.resolution import overrides
from experiments.resolution.ladder import Answer, Place, Resolved, climb
from experiments.resolution.overrides import Forced
from experiments.resolution.resolver import NOBODY, Asker, Resolver, question
from experiments.resolution.ruleset import Ruleset
from experiments.resolution.schemas import (
    ExplainOut,
    PathOut,
    PreviewIn,
    PreviewOut,
    ResolutionOut,
    ResolveIn,
    RungOut,
    SlotOut,
)


def resolve(
    resolver: Resolver,
    ruleset: Ruleset,
    asked: ResolveIn,
    *,
    forced: Forced | None = None,
    now: datetime,
) -> ResolutionOut:
    """What to show; new assignments, and exposures where showing counts, are recorded first."""
    resolved = resolver.visit(ruleset, _place(asked), _asker(asked, forced), now=now)
    return ResolutionOut.model_construct(**_outline(ruleset, asked, resolved))


def explain(
    session: Session, ruleset: Ruleset, asked: ResolveIn, *, forced: Forced | None = None
) -> ExplainOut:
    """What would be shown and what every rung says; writes nothing."""
    known = NOBODY
    if asked.visitor is not None:
        cursor = session.connection().connection.cursor()
        known = visitors.known(cursor, asked.visitor, with_attributes=True)
        if known.visitor_id is not None:
            known = known._replace(standing=instances.standing(cursor, known.visitor_id))
    asker = question(_asker(asked, forced), known)
    resolved = climb(ruleset, _place(asked), asker, traced=True)
    rungs = {
        answer.slot: [RungOut.model_validate(tried) for tried in answer.tried]
        for answer in resolved.answers
    }
    return ExplainOut.model_validate({**_outline(ruleset, asked, resolved), "rungs": rungs})


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


def _place(asked: ResolveIn) -> Place:
    return Place(asked.journey, asked.touchpoint, tuple(dict.fromkeys(asked.slots)))


def _asker(asked: ResolveIn, forced: Forced | None) -> Asker:
    refused = bool(asked.preview) and forced is None
    return Asker(asked.visitor, asked.context, forced, refused, asked.fallback)


def _outline(ruleset: Ruleset, asked: ResolveIn, resolved: Resolved) -> dict[str, Any]:
    point, met = resolved.touchpoint, resolved.path
    return {
        "visitor": asked.visitor,
        "journey": asked.journey,
        "journey_version": resolved.version,
        "touchpoint": asked.touchpoint,
        "stage": None if point is None else point.stage,
        "on_path": resolved.on_path,
        "path": None
        if met is None
        else PathOut(experiment=met.experiment.key, variant=met.arm.key),
        "wait_hours": None if point is None else point.wait_hours,
        "channels": [] if point is None else list(point.channels),
        "ruleset": ruleset.version,
        "slots": {answer.slot: _slot(answer) for answer in resolved.answers},
    }


def _slot(answer: Answer) -> SlotOut:
    enrolment = answer.enrolment
    return SlotOut.model_construct(
        value=answer.shown.value,
        source=answer.rung,
        origin=answer.shown.origin,
        reason=answer.reason,
        experiment=None if enrolment is None else enrolment.experiment.key,
        variant=None if enrolment is None else enrolment.arm.key,
    )
