"""The ladder: what a slot shows, decided by the first rung that has an answer.

1 forced override, 2 pre-empting automation, 3 holdout, 4 running experiment, 5 contextual rule,
6 persona rule, 7 standard content, 8 the caller's fallback. Pure: it reads a frozen ruleset and
what is stored of the visitor, and says which enrolments are new; writing them is the service's.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from experiments.resolution.enrolment import Enrolment, Question, enrol, holdout_of, live
from experiments.resolution.overrides import Forced
from experiments.resolution.ruleset import ArmRule, Ruleset, SlotRule, TouchpointRule


class Rung(StrEnum):
    """A rung of the ladder."""

    FORCED = "forced"
    AUTOMATION = "automation"
    HOLDOUT = "holdout"
    EXPERIMENT = "experiment"
    CONTEXT = "context"
    PERSONA = "persona"
    STANDARD = "standard"
    FALLBACK = "fallback"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What a rung shows, and the content or variant it comes from."""

    value: Any
    origin: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What one rung said: its reason, and its answer if it has one."""

    reason: str
    shown: Shown | None = None
    enrolment: Enrolment | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """A rung that was asked, whether it answered, and why."""

    rung: Rung
    answered: bool
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What one slot shows, and every rung that was asked."""

    slot: str
    shown: Shown
    tried: tuple[Tried, ...]
    enrolment: Enrolment | None = None

    @property
    def rung(self) -> Rung:
        """The rung that answered."""
        return self.tried[-1].rung


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """The answers of a touchpoint; without a touchpoint when it is unknown."""

    touchpoint: TouchpointRule | None = None
    version: int | None = None
    answers: tuple[Answer, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """Where the ladder stands: one slot, one question, and who keeps the visitor out of tests."""

    slot: SlotRule
    question: Question
    holdout: str


def climb(ruleset: Ruleset, question: Question) -> Resolved:
    """Answer a question; whatever is unknown gets the caller's fallback."""
    journey = ruleset.journeys.get(question.journey)
    if journey is None:
        return _lost(question, f"there is no standard journey {question.journey!r}")
    touchpoint = journey.touchpoints.get(question.touchpoint)
    if touchpoint is None:
        return _lost(question, f"the journey has no touchpoint {question.touchpoint!r}")
    holdout = holdout_of(journey.holdouts, question)
    names = question.slots or tuple(touchpoint.slots)
    answers = tuple(
        _answer(_Place(slot=touchpoint.slots[name], question=question, holdout=holdout))
        if name in touchpoint.slots
        else _fall_back(name, question, f"the touchpoint has no slot {name!r}")
        for name in names
    )
    return Resolved(touchpoint=touchpoint, version=journey.version, answers=answers)


def _lost(question: Question, reason: str) -> Resolved:
    names = question.slots or tuple(question.fallback)
    return Resolved(answers=tuple(_fall_back(name, question, reason) for name in names))


def _fall_back(slot: str, question: Question, reason: str) -> Answer:
    tried = Tried(rung=Rung.FALLBACK, answered=True, reason=reason)
    return Answer(slot=slot, shown=Shown(value=question.fallback.get(slot)), tried=(tried,))


def _answer(place: _Place) -> Answer:
    tried: list[Tried] = []
    enrolment = None
    for rung, ask in RUNGS:
        step = ask(place)
        enrolment = step.enrolment or enrolment
        tried.append(Tried(rung=rung, answered=step.shown is not None, reason=step.reason))
        if step.shown is not None:
            return Answer(
                slot=place.slot.key, shown=step.shown, tried=tuple(tried), enrolment=enrolment
            )
    message = "the last rung of the ladder always answers"
    raise AssertionError(message)


def _forced(place: _Place) -> Step:
    question = place.question
    if question.preview_refused:
        return Step(reason="the preview link is expired or was not made here")
    if question.forced is None:
        return Step(reason="no preview was asked for")
    name = f"{question.forced.experiment}/{question.forced.variant}"
    arm = _forced_arm(place.slot, question.forced)
    if arm is None:
        return Step(reason=f"the preview {name} is of another slot")
    if arm.defers:
        return Step(reason=f"the preview {name} shows what the rungs below show")
    return Step(reason=f"preview of {name}", shown=Shown(value=arm.content, origin=name))


def _forced_arm(slot: SlotRule, forced: Forced) -> ArmRule | None:
    arms = (arm for rule in slot.experiments if rule.key == forced.experiment for arm in rule.arms)
    return next((arm for arm in arms if arm.key == forced.variant), None)


def _automation(_place: _Place) -> Step:
    return Step(reason="no automation pre-empts this slot")


def _holdout(place: _Place) -> Step:
    if place.holdout:
        return Step(reason=f"holdout {place.holdout!r} keeps the visitor out of every experiment")
    return Step(reason="the visitor is in no holdout")


def _experiment(place: _Place) -> Step:
    question = place.question
    if question.forced is not None:
        return Step(reason="a preview takes no part in experiments")
    if question.visitor is None:
        return Step(reason="a visitor without an id is in no experiment")
    if place.holdout:
        return Step(reason="the holdout forbids it")
    reasons = []
    for rule in live(place.slot.experiments, question):
        found = enrol(rule, question, visitor=question.visitor)
        if isinstance(found, Enrolment):
            return _met(found)
        reasons.append(f"{rule.key}: {found}")
    return Step(reason="; ".join(reasons) or "no experiment runs on this slot")


def _met(enrolment: Enrolment) -> Step:
    arm = enrolment.arm
    name = f"{enrolment.experiment.key}/{arm.key}"
    if arm.removed:
        reason = f"{name} was taken out, so the rungs below answer"
        return Step(reason=reason, enrolment=enrolment)
    if arm.defers:
        return Step(reason=f"{name} is the control and defers", enrolment=enrolment)
    reason = f"the visitor is in {name}"
    shown = Shown(value=arm.content, origin=name)
    return Step(reason=reason, shown=shown, enrolment=enrolment)


def _context(_place: _Place) -> Step:
    return Step(reason="no contextual rule speaks for this slot")


def _persona(_place: _Place) -> Step:
    return Step(reason="no persona rule speaks for this slot")


def _standard(place: _Place) -> Step:
    standard = place.slot.standard
    if standard is None:
        return Step(reason="the standard content does not exist")
    name = f"{standard.key} version {standard.number}"
    if not standard.approved:
        return Step(reason=f"{name} is not approved")
    return Step(reason=f"standard content {name}", shown=Shown(value=standard.value, origin=name))


def _fallback(place: _Place) -> Step:
    value = place.question.fallback.get(place.slot.key)
    return Step(reason="no rung above has content", shown=Shown(value=value))


RUNGS: tuple[tuple[Rung, Callable[[_Place], Step]], ...] = (
    (Rung.FORCED, _forced),
    (Rung.AUTOMATION, _automation),
    (Rung.HOLDOUT, _holdout),
    (Rung.EXPERIMENT, _experiment),
    (Rung.CONTEXT, _context),
    (Rung.PERSONA, _persona),
    (Rung.STANDARD, _standard),
    (Rung.FALLBACK, _fallback),
)
