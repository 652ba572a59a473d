"""The ladder: what a slot shows, decided by the first rung that has an answer.

1 forced override, 2 pre-empting automation, 3 holdout, 4 running experiment, 5 contextual rule,
6 persona rule, 7 standard content, 8 the caller's fallback. Pure: it reads a frozen ruleset and
what is stored of the visitor, and says which enrolments are new; writing them is the service's.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from experiments.journeys.schemas import Exposing
from experiments.resolution.enrolment import Question, enrol, holdout_of, in_turn, part_of
from experiments.resolution.overrides import Forced
from experiments.resolution.recognition import recognised
from experiments.resolution.ruleset import (
    ArmRule,
    Enrolment,
    HoldoutRule,
    JourneyRule,
    Ruleset,
    Said,
    Shown,
    SlotRule,
    TouchpointRule,
    Walk,
)
from experiments.resolution.walking import walk


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
class Tried:
    """A rung that was asked, whether it answered, and why."""

    rung: Rung
    answered: bool
    reason: str


class Answer(NamedTuple):
    """What one slot shows, which rung says so and why; every rung asked if that was wanted."""

    slot: str
    shown: Shown
    rung: Rung
    reason: str
    enrolment: Enrolment | None = None
    tried: tuple[Tried, ...] = ()


class Place(NamedTuple):
    """Where a visitor asks: in which journey, at which touchpoint, for which slots (or all)."""

    journey: str
    touchpoint: str
    slots: tuple[str, ...] = ()


class Resolved(NamedTuple):
    """The answers of a touchpoint; without a touchpoint when it is unknown."""

    answers: tuple[Answer, ...]
    touchpoint: TouchpointRule | None = None
    version: int | None = None
    path: Enrolment | None = None
    parts: bool = False
    on_path: bool = True
    part: Enrolment | None = None  # of a holdout

    def met(self) -> list[tuple[Enrolment, bool]]:
        """The arms that the visitor meets here, and whether asking here counts as seeing each.

        Where paths part everybody counts, also whoever is led past it: they would have been shown
        it. In a holdout whoever asks anything of the journey counts. In a slot it counts when the
        touchpoint says so.
        """
        shows = self.touchpoint is not None and self.touchpoint.expose is Exposing.ON_RESOLVE
        slots = [item.enrolment for item in self.answers if item.enrolment is not None]
        path = [] if self.path is None else [(self.path, self.parts)]
        part = [] if self.part is None else [(self.part, True)]
        return path + part + [(enrolment, shows) for enrolment in slots]


def climb(ruleset: Ruleset, place: Place, question: Question, *, traced: bool = False) -> Resolved:
    """Answer a question; whatever is unknown gets the caller's fallback."""
    journey = ruleset.journeys.get(place.journey)
    if journey is None:
        return _lost(place, question, f"there is no standard journey {place.journey!r}")
    question, holdout, part, walked = located(journey, question)
    touchpoint = walked.touchpoints.get(place.touchpoint)
    if touchpoint is None:
        return _led_past(journey, place, question, walked)._replace(part=part)
    slots, answers = touchpoint.slots, []
    for name in place.slots or slots:
        if name in slots:
            answers.append(answer(slots[name], question, holdout=holdout, traced=traced))
        else:
            reason = f"the touchpoint has no slot {name!r}"
            answers.append(_fall_back(name, question, reason))
    _, version, path, parting = walked
    parts = touchpoint.key in parting
    return Resolved(tuple(answers), touchpoint, version, path, parts, True, part)  # noqa: FBT003 (names cost a tenth)


def located(
    journey: JourneyRule, question: Question
) -> tuple[Question, HoldoutRule | None, Enrolment | None, Walk]:
    """The question with what the journey recognises, the holdout and its part, and the path.

    A path is the kept one of a status quo, or one of the journey's own.
    """
    if journey.asks_stage or journey.personas:
        question = recognised(journey, question)
    holdout = holdout_of(journey.holdouts, question) if journey.holdouts else None
    part = None if holdout is None else part_of(holdout, question)
    if holdout is not None and holdout.keeps(part):
        return question, holdout, part, Walk(holdout.kept, holdout.kept_version)
    is_forked = journey.is_forked
    path = walk(journey, question, holdout=holdout) if is_forked else journey.paved
    return question, holdout, part, path


def answer(
    slot: SlotRule,
    question: Question,
    *,
    holdout: HoldoutRule | None = None,
    traced: bool = False,
) -> Answer:
    """What one slot shows; `holdout` is the one that keeps the visitor out of every experiment."""
    tried: tuple[Tried, ...] = ()
    enrolment = None
    for rung, ask in RUNGS if traced else OUTSPOKEN if question.forced else UNFORCED:
        reason, shown, met = ask(slot, question, holdout)
        if met is not None:
            enrolment = met
        if traced:
            tried += (Tried(rung=rung, answered=shown is not None, reason=reason),)
        if shown is not None:
            return Answer(slot.key, shown, rung, reason, enrolment, tried)
    message = "the last rung of the ladder always answers"
    raise AssertionError(message)


def _led_past(journey: JourneyRule, place: Place, question: Question, walked: Walk) -> Resolved:
    key = place.touchpoint
    if key not in journey.touchpoints and key not in journey.elsewhere:
        unknown = _lost(place, question, f"the journey has no touchpoint {key!r}")
        return unknown._replace(on_path=False)
    lost = _lost(place, question, f"the visitor's path leads past touchpoint {key!r}")
    parts = key in walked.parting
    return lost._replace(version=walked.version, path=walked.enrolment, parts=parts, on_path=False)


def _lost(place: Place, question: Question, reason: str) -> Resolved:
    names: Iterable[str] = place.slots or question.fallback
    return Resolved(tuple(_fall_back(name, question, reason) for name in names))


def _fall_back(slot: str, question: Question, reason: str) -> Answer:
    tried = Tried(rung=Rung.FALLBACK, answered=True, reason=reason)
    shown = Shown(question.fallback.get(slot))
    return Answer(slot, shown, Rung.FALLBACK, reason, tried=(tried,))


Ask = Callable[[SlotRule, Question, HoldoutRule | None], Said]

_NO_PREVIEW = Said("no preview was asked for")
_PREVIEW_REFUSED = Said("the preview link is expired or was not made here")
_NO_AUTOMATION = Said("no automation pre-empts this slot")
_NO_HOLDOUT = Said("the visitor is in no holdout")
_PREVIEWING = Said("a preview takes no part in experiments")
_NOBODY = Said("a visitor without an id is in no experiment")
_HELD_OUT = Said("the holdout forbids it")
_NO_EXPERIMENT = Said("no experiment runs on this slot")
_NO_CONTEXT = Said("no contextual rule speaks for this slot")
_NO_PERSONA = Said("no persona rule speaks for this slot")
_NO_STANDARD = Said("the standard content does not exist")


def _forced(slot: SlotRule, question: Question, _holdout: HoldoutRule | None) -> Said:
    forced = question.forced
    if forced is None:
        return _PREVIEW_REFUSED if question.preview_refused else _NO_PREVIEW
    name = f"{forced.experiment}/{forced.variant}"
    arm = _forced_arm(slot, forced)
    if arm is None:
        return Said(f"the preview {name} is of another slot")
    if arm.defers:
        return Said(f"the preview {name} shows what the rungs below show")
    return Said(f"preview of {name}", Shown(arm.content, name))


def _forced_arm(slot: SlotRule, forced: Forced) -> ArmRule | None:
    arms = (arm for rule in slot.experiments if rule.key == forced.experiment for arm in rule.arms)
    return next((arm for arm in arms if arm.key == forced.variant), None)


def _automation(_slot: SlotRule, _question: Question, _holdout: HoldoutRule | None) -> Said:
    return _NO_AUTOMATION


def _held_out(_slot: SlotRule, _question: Question, holdout: HoldoutRule | None) -> Said:
    if holdout is not None:
        return Said(f"holdout {holdout.key!r} keeps the visitor out of every experiment")
    return _NO_HOLDOUT


def experiment(slot: SlotRule, question: Question, holdout: HoldoutRule | None) -> Said:
    """What the experiments on a slot say.

    As long as the silent rungs are silent, the arm met here alone decides what a slot shows to
    whoever brings neither preview nor fallback.
    """
    if question.forced is not None:
        return _PREVIEWING
    if question.visitor is None:
        return _NOBODY
    if holdout is not None:
        return _HELD_OUT
    if len(slot.live) == 1:
        return enrol(slot.live[0], question, visitor=question.visitor)
    refusals = []
    for rule in in_turn(slot.live, question):
        said = enrol(rule, question, visitor=question.visitor)
        if said.enrolment is not None:
            return said
        refusals.append(said.reason)
    return Said("; ".join(refusals)) if refusals else _NO_EXPERIMENT


def _context(_slot: SlotRule, _question: Question, _holdout: HoldoutRule | None) -> Said:
    return _NO_CONTEXT


def _persona(_slot: SlotRule, _question: Question, _holdout: HoldoutRule | None) -> Said:
    return _NO_PERSONA


def _standard(slot: SlotRule, _question: Question, _holdout: HoldoutRule | None) -> Said:
    return _NO_STANDARD if slot.standard is None else slot.standard.said


def _fallback(slot: SlotRule, question: Question, _holdout: HoldoutRule | None) -> Said:
    return Said("no rung above has content", Shown(question.fallback.get(slot.key)))


RUNGS: tuple[tuple[Rung, Ask], ...] = (
    (Rung.FORCED, _forced),
    (Rung.AUTOMATION, _automation),
    (Rung.HOLDOUT, _held_out),
    (Rung.EXPERIMENT, experiment),
    (Rung.CONTEXT, _context),
    (Rung.PERSONA, _persona),
    (Rung.STANDARD, _standard),
    (Rung.FALLBACK, _fallback),
)

# Rungs that have no content of their own yet: what they say matters to a trace alone.
SILENT = frozenset({Rung.AUTOMATION, Rung.HOLDOUT, Rung.CONTEXT, Rung.PERSONA})
OUTSPOKEN = tuple((rung, ask) for rung, ask in RUNGS if rung not in SILENT)
UNFORCED = OUTSPOKEN[1:]  # without a preview the first rung is silent, too
