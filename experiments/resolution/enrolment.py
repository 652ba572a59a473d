"""Who is in which experiment: pure, from the ruleset and what is stored of the visitor.

An experiment that is paused shows the standard content to everybody. One that matures takes
nobody new and counts nothing more, but shows those who are in it what they had: their outcomes are
still being measured. Later states are off. Whoever is in one experiment of a slot, also as
control, is in no other experiment of that slot.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from experiments.assignment.bucketing import BUCKETS, bucket, choose, inside
from experiments.assignment.schemas import AssignmentOut
from experiments.conditions import matches
from experiments.design.schemas import Status
from experiments.resolution.overrides import Forced
from experiments.resolution.ruleset import ArmRule, ExperimentRule, HoldoutRule

LIVE = frozenset({Status.RUNNING, Status.PAUSED, Status.MATURING})


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Who asks what to show where, and what is known of them."""

    journey: str
    touchpoint: str
    slots: tuple[str, ...] = ()
    visitor: str | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)
    assignments: Mapping[int, AssignmentOut] = field(default_factory=dict)
    forced: Forced | None = None
    preview_refused: bool = False
    fallback: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolment:
    """The arm in which the visitor meets the slot."""

    experiment: ExperimentRule
    arm: ArmRule
    bucket: int
    is_new: bool
    is_counted: bool


def live(rules: Iterable[ExperimentRule], question: Question) -> list[ExperimentRule]:
    """The experiments that can take part, those that the visitor is in already first."""
    found = [rule for rule in rules if rule.status in LIVE]
    return sorted(found, key=lambda rule: rule.id not in question.assignments)


def enrol(rule: ExperimentRule, question: Question, *, visitor: str) -> Enrolment | str:
    """The visitor's arm in an experiment, or why they have none."""
    if rule.status is Status.PAUSED:
        return "is paused"
    stored = question.assignments.get(rule.id)
    arm = rule.arm(stored.variant_id) if stored else None
    if stored and arm:
        is_counted = rule.status is Status.RUNNING
        return Enrolment(
            experiment=rule, arm=arm, bucket=stored.bucket, is_new=False, is_counted=is_counted
        )
    if rule.status is Status.MATURING:
        return "is maturing and takes nobody new"
    return _drawn(rule, question, visitor=visitor)


def _drawn(rule: ExperimentRule, question: Question, *, visitor: str) -> Enrolment | str:
    if not matches(rule.audience, question.attributes):
        return "the visitor is not in its audience"
    if rule.layer and not inside(bucket(rule.layer.salt, visitor), rule.layer.stretch):
        return f"the visitor is outside its part of layer {rule.layer.key!r}"
    number = bucket(rule.salt, visitor)
    index = choose(number, rule.stretches)
    if index is None:
        return "the visitor is outside its coverage"
    arm = rule.arms[index]
    if arm.removed:
        return f"the visitor's variant {arm.key!r} was taken out"
    return Enrolment(experiment=rule, arm=arm, bucket=number, is_new=True, is_counted=True)


def holdout_of(holdouts: tuple[HoldoutRule, ...], question: Question) -> str:
    """The key of the first holdout that the visitor is in, or nothing."""
    if question.visitor is None:
        return ""
    for holdout in holdouts:
        is_drawn = bucket(holdout.salt, question.visitor) < holdout.share * BUCKETS
        if is_drawn and matches(holdout.audience, question.attributes):
            return holdout.key
    return ""
