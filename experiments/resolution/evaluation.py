"""Evaluating flags for a visitor: one flag, which may count as seeing it, or all of them."""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from experiments.resolution.enrolment import Question, holdout_of, part_of
from experiments.resolution.flags import Evaluation, Flag, evaluation, flags, shown
from experiments.resolution.ladder import Answer, Place, answer
from experiments.resolution.resolver import Asker, Resolver
from experiments.resolution.ruleset import JourneyRule, Ruleset


class Answered(NamedTuple):
    """A flag with its answer, if it has one."""

    flag: Flag
    evaluation: Evaluation | None


def evaluate(
    resolver: Resolver, ruleset: Ruleset, flag: Flag, asker: Asker, *, now: datetime
) -> Evaluation | None:
    """What one flag answers; assigns, and counts the exposure where showing counts.

    Somebody who asks for an experiment that they are not in sees the standard, which assigns and
    counts nothing, whatever other experiment they are in.
    """
    if flag.experiment is not None:
        question = resolver.look(ruleset, asker)
        seen = answer(flag.slot, question, holdout=holdout_of(flag.journey.holdouts, question))
        if seen.enrolment is None or seen.enrolment.experiment.key != flag.experiment.key:
            return evaluation(flag, shown(seen))
    place = Place(flag.journey.key, flag.touchpoint.key, (flag.slot.key,))
    (found,) = resolver.visit(ruleset, place, asker, now=now).answers
    return evaluation(flag, shown(found))


def answers(ruleset: Ruleset, question: Question) -> Iterator[tuple[Flag, Evaluation | None]]:
    """What every flag answers to a question; pure."""
    seen: dict[int, Answer] = {}
    for journey in ruleset.journeys.values():
        seen |= _journey(journey, question)
    for flag in flags(ruleset).values():
        yield flag, evaluation(flag, shown(seen[id(flag.slot)]))


def _journey(journey: JourneyRule, question: Question) -> dict[int, Answer]:
    holdout = holdout_of(journey.holdouts, question)
    quo = holdout if holdout is not None and holdout.keeps(part_of(holdout, question)) else None
    return {
        id(slot): answer(
            slot if quo is None else quo.as_it_was(point.key, slot), question, holdout=holdout
        )
        for point in journey.touchpoints.values()
        for slot in point.slots.values()
    }


def answered(flag: Flag, seen: Answer) -> Answered:
    """A flag and what it answers to somebody who sees this in its slot."""
    return Answered(flag, evaluation(flag, shown(seen)))
