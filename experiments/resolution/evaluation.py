"""Evaluating flags for a visitor: one flag, which may count as seeing it, or all of them."""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from experiments.resolution.enrolment import Question
from experiments.resolution.flags import Evaluation, Flag, evaluation, flags, shown
from experiments.resolution.ladder import Answer, Place, Resolved, climb
from experiments.resolution.resolver import Asker, Resolver
from experiments.resolution.ruleset import Ruleset


class Answered(NamedTuple):
    """A flag with its answer, if it has one."""

    flag: Flag
    evaluation: Evaluation | None


def evaluate(
    resolver: Resolver, ruleset: Ruleset, flag: Flag, asker: Asker, *, now: datetime
) -> Resolved:
    """What is shown where a flag stands; assigns, and counts the exposure where showing counts.

    Somebody who asks for an experiment that they are not in sees the standard, which assigns and
    counts nothing, whatever other experiment they are in.
    """
    place = _place(flag)
    if flag.experiment is not None:
        resolved = climb(ruleset, place, resolver.look(ruleset, asker))
        met = resolved.answers[0].enrolment
        if met is None or met.experiment.key != flag.experiment.key:
            return resolved
    return resolver.visit(ruleset, place, asker, now=now)


def answers(ruleset: Ruleset, question: Question) -> Iterator[tuple[Flag, Evaluation | None]]:
    """What every flag answers to a question; pure."""
    for flag in flags(ruleset).values():
        yield flag, said(flag, climb(ruleset, _place(flag), question))


def said(flag: Flag, resolved: Resolved) -> Evaluation | None:
    """What a flag answers to somebody who is shown this where it stands."""
    here = flag.on(resolved.touchpoint, resolved.version or 0)
    return None if here is None else evaluation(here, shown(resolved.answers[0]))


def _place(flag: Flag) -> Place:
    return Place(flag.journey.key, flag.touchpoint.key, (flag.slot.key,))


def answered(flag: Flag, seen: Answer) -> Answered:
    """A flag and what it answers to somebody who sees this in its slot."""
    return Answered(flag, evaluation(flag, shown(seen)))
