"""Evaluating flags for a visitor: one flag, which may count as seeing it, or all of them."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from sqlmodel import Session

from experiments.assignment import queries as visitors
from experiments.assignment.schemas import Known
from experiments.resolution import service
from experiments.resolution.enrolment import Question
from experiments.resolution.flags import Evaluation, Flag, Shown, evaluation, flags, shown
from experiments.resolution.ladder import Place, climb
from experiments.resolution.ruleset import Ruleset, TouchpointRule
from experiments.resolution.schemas import ResolveIn, SlotOut

Context = Mapping[str, Any]


def evaluate(
    session: Session,
    ruleset: Ruleset,
    flag: Flag,
    *,
    visitor: str | None,
    context: Context,
    now: datetime,
) -> Evaluation | None:
    """What one flag answers; assigns, and counts the exposure where showing counts.

    Somebody who asks for an experiment that they are not in sees the standard, which assigns and
    counts nothing, whatever other experiment they are in.
    """
    asked = ResolveIn(
        visitor=visitor,
        journey=flag.journey.key,
        touchpoint=flag.touchpoint.key,
        slots=[flag.slot.key],
        context=dict(context),
    )
    slot = flag.slot.key
    if flag.experiment is not None:
        seen = service.explain(session, ruleset, asked).slots[slot]
        if seen.experiment != flag.experiment.key:
            return evaluation(flag, _shown(seen))
    return evaluation(flag, _shown(service.resolve(session, ruleset, asked, now=now).slots[slot]))


def evaluate_all(
    session: Session | None, ruleset: Ruleset, *, visitor: str | None, context: Context
) -> Iterator[tuple[Flag, Evaluation | None]]:
    """What every flag answers; writes nothing.

    Without a session what is stored of the visitor is not known, and the hash alone decides.
    """
    known = Known() if session is None or visitor is None else visitors.known(session, visitor)
    stored: Context = {}
    if session is not None and known.visitor_id is not None and _reads_attributes(ruleset):
        stored = visitors.attributes(session, known.visitor_id)
    seen = dict(_seen(ruleset, known, visitor=visitor, attributes={**stored, **context}))
    for flag in flags(ruleset).values():
        yield flag, evaluation(flag, seen[_place(flag)])


def _shown(slot: SlotOut) -> Shown:
    return Shown(
        rung=slot.source, value=slot.value, experiment=slot.experiment, variant=slot.variant
    )


def _seen(
    ruleset: Ruleset, known: Known, *, visitor: str | None, attributes: Context
) -> Iterator[tuple[tuple[str, str, str], Shown]]:
    identified = attributes if visitor is None else {**attributes, "id": visitor}
    question = Question(visitor=visitor, attributes=identified, arms=known.arms)
    for journey in ruleset.journeys.values():
        for point in journey.touchpoints.values():
            for answer in climb(ruleset, Place(journey.key, point.key), question).answers:
                yield (journey.key, point.key, answer.slot), shown(answer)


def _place(flag: Flag) -> tuple[str, str, str]:
    return flag.journey.key, flag.touchpoint.key, flag.slot.key


def _reads_attributes(ruleset: Ruleset) -> bool:
    return any(point.reads_attributes for point in _touchpoints(ruleset))


def _touchpoints(ruleset: Ruleset) -> Iterator[TouchpointRule]:
    for journey in ruleset.journeys.values():
        yield from journey.touchpoints.values()
