"""Flags: the names under which evaluation protocols ask for slots and experiments; pure.

A slot is the flag `journey.touchpoint.slot` for ever. An experiment is a flag under its own key as
long as it is under way; who is not in it sees what the standard journey shows. Both are answered by
the ladder; this module only says it in the words of the protocols.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache
from typing import Any

from experiments.design.schemas import Status
from experiments.journeys.schemas import ContentType
from experiments.resolution.ladder import Answer, Rung
from experiments.resolution.ruleset import (
    LIVE,
    ExperimentRule,
    JourneyRule,
    Ruleset,
    SlotRule,
    TouchpointRule,
)


class Reason(StrEnum):
    """Why a flag has its value, in the words of OpenFeature."""

    STATIC = "STATIC"
    TARGETING_MATCH = "TARGETING_MATCH"
    SPLIT = "SPLIT"
    DISABLED = "DISABLED"
    DEFAULT = "DEFAULT"


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """A name, and the slot that it stands for; an experiment's flag names the experiment too."""

    key: str
    journey: JourneyRule
    touchpoint: TouchpointRule
    slot: SlotRule
    version: int
    experiment: ExperimentRule | None = None

    def on(self, point: TouchpointRule | None, version: int) -> "Flag | None":
        """The flag to somebody whose path has this touchpoint; none where it leads past it."""
        slot = None if point is None else point.slots.get(self.slot.key)
        if point is None or slot is None:
            return None
        if slot is self.slot and version == self.version:
            return self
        return replace(self, touchpoint=point, slot=slot, version=version)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What the ladder showed in a slot: the rung, the value, and the arm the visitor is in."""

    rung: Rung
    value: Any
    experiment: str | None
    variant: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """What a flag answers; `value` is never nothing."""

    key: str
    value: Any
    variant: str
    reason: Reason
    metadata: Mapping[str, str | int | bool]


@lru_cache(maxsize=2)
def flags(ruleset: Ruleset) -> Mapping[str, Flag]:
    """Every flag of a ruleset by its key; made once for each ruleset.

    Where two would have the same name the slot's stands, so that no new experiment ever takes the
    name of what a site already asks for.
    """
    found = {flag.key: flag for flag in _experiment_flags(ruleset)}
    return dict(sorted((found | {flag.key: flag for flag in _slot_flags(ruleset)}).items()))


def shown(answer: Answer) -> Shown:
    """What the ladder's answer means to a flag."""
    enrolment = answer.enrolment
    return Shown(
        rung=answer.rung,
        value=answer.shown.value,
        experiment=None if enrolment is None else enrolment.experiment.key,
        variant=None if enrolment is None else enrolment.arm.key,
    )


def evaluation(flag: Flag, seen: Shown) -> Evaluation | None:
    """The answer of a flag to somebody who sees this in its slot; none when there is no content."""
    own = flag.experiment
    if own is None or seen.experiment == own.key:
        return _answer(flag, seen, is_in=seen.experiment is not None)
    standard = flag.slot.standard
    if standard is None or not standard.approved:
        return None
    other = Shown(rung=Rung.STANDARD, value=standard.value, experiment=None, variant=None)
    return _answer(flag, seen if seen.experiment is None else other, is_in=False)


def typed(value: Any, kind: ContentType) -> Any:
    """The value in the slot's type: a whole number in a slot of floats is written as a float."""
    return float(value) if kind is ContentType.FLOAT else value


def _slot_flags(ruleset: Ruleset) -> Iterator[Flag]:
    for journey in ruleset.journeys.values():
        for point in (*journey.elsewhere.values(), *journey.touchpoints.values()):
            for slot in point.slots.values():
                key = f"{journey.key}.{point.key}.{slot.key}"
                yield Flag(
                    key=key,
                    journey=journey,
                    touchpoint=point,
                    slot=slot,
                    version=journey.version,
                )


def _experiment_flags(ruleset: Ruleset) -> Iterator[Flag]:
    for flag in _slot_flags(ruleset):
        for rule in flag.slot.experiments:
            if rule.status in LIVE:
                yield Flag(
                    key=rule.key,
                    journey=flag.journey,
                    touchpoint=flag.touchpoint,
                    slot=flag.slot,
                    version=flag.version,
                    experiment=rule,
                )


def _answer(flag: Flag, seen: Shown, *, is_in: bool) -> Evaluation | None:
    if seen.value is None:
        return None
    about: dict[str, str | int | bool] = {
        "journey": flag.journey.key,
        "version": flag.version,
        "touchpoint": flag.touchpoint.key,
        "slot": flag.slot.key,
        "stage": flag.touchpoint.stage,
        "source": seen.rung.value,
        "expose": flag.touchpoint.expose.value,
        "inExperiment": is_in,
    }
    if is_in and seen.experiment is not None:
        about["experiment"] = seen.experiment
    return Evaluation(
        key=flag.key,
        value=typed(seen.value, flag.slot.type),
        variant=seen.variant if is_in and seen.variant else seen.rung.value,
        reason=_reason(flag, seen, is_in=is_in),
        metadata=about,
    )


def _reason(flag: Flag, seen: Shown, *, is_in: bool) -> Reason:
    if is_in:
        return Reason.SPLIT
    if seen.rung not in {Rung.STANDARD, Rung.FALLBACK}:
        return Reason.TARGETING_MATCH
    if flag.experiment is not None and flag.experiment.status is Status.PAUSED:
        return Reason.DISABLED
    tested = any(rule.status in LIVE for rule in flag.slot.experiments)
    return Reason.DEFAULT if tested else Reason.STATIC
