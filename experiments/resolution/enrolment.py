"""Who is in which experiment: pure, from the ruleset and what is stored of the visitor.

An experiment that is paused shows the standard content to everybody. One that matures takes
nobody new and counts nothing more, but shows those who are in it what they had: their outcomes are
still being measured. Later states are off. Whoever is in one experiment of a slot, also as
control, is in no other experiment of that slot.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from experiments.assignment.bucketing import bucket
from experiments.assignment.schemas import NOTHING, Standing, StoredArm
from experiments.conditions import matches
from experiments.design.schemas import Status
from experiments.resolution.overrides import Forced
from experiments.resolution.ruleset import Enrolment, ExperimentRule, HoldoutRule, Said


class Question(NamedTuple):
    """Who asks, and what is known of them."""

    visitor: str | None = None
    attributes: Mapping[str, Any] = NOTHING
    arms: Mapping[int, StoredArm] = NOTHING  # by experiment
    forced: Forced | None = None
    preview_refused: bool = False
    fallback: Mapping[str, Any] = NOTHING  # by slot
    standing: Mapping[int, Standing] = NOTHING  # by journey


def in_turn(rules: Sequence[ExperimentRule], question: Question) -> Sequence[ExperimentRule]:
    """The experiments in the order they are asked: those that the visitor is in already first."""
    if len(rules) < 2 or not question.arms:
        return rules
    return sorted(rules, key=lambda rule: rule.id not in question.arms)


def enrol(rule: ExperimentRule, question: Question, *, visitor: str) -> Said:
    """The visitor's arm in a live experiment, or why they have none."""
    if rule.is_running and rule.id not in question.arms:
        return draw(rule, visitor, question.attributes)
    if rule.status is Status.PAUSED:
        return rule.refuses("is paused")
    stored = question.arms.get(rule.id)
    if stored is not None and stored.variant_id in rule.to_members:
        return rule.to_members[stored.variant_id]
    if rule.status is Status.MATURING:
        return rule.refuses("is maturing and takes nobody new")
    return draw(rule, visitor, question.attributes)


def draw(rule: ExperimentRule, visitor: str, attributes: Mapping[str, Any] = NOTHING) -> Said:
    """The arm that the hash gives to a visitor of whom nothing is stored, or why it gives none."""
    if rule.audience and not matches(rule.audience, attributes):
        return rule.refuses("the visitor is not in its audience")
    layer = rule.layer
    if layer is not None and not layer.first <= bucket(layer.salt, visitor) < layer.beyond:
        return rule.refuses(f"the visitor is outside its part of layer {layer.key!r}")
    return rule.to_newcomers[rule.arms_by_bucket[bucket(rule.salt, visitor)]]


def holdout_of(holdouts: tuple[HoldoutRule, ...], question: Question) -> HoldoutRule | None:
    """The first holdout that the visitor is in; whoever was found to be in one stays in it."""
    visitor = question.visitor
    if visitor is None or not holdouts:
        return None
    if question.arms:
        for holdout in holdouts:
            if holdout.parts is not None and holdout.parts.id in question.arms:
                return holdout
    for holdout in holdouts:
        if bucket(holdout.salt, visitor) < holdout.beyond and (
            not holdout.audience or matches(holdout.audience, question.attributes)
        ):
            return holdout
    return None


def part_of(holdout: HoldoutRule | None, question: Question) -> Enrolment | None:
    """The part of a split holdout that the visitor is in."""
    if holdout is None or holdout.parts is None or question.visitor is None:
        return None
    return enrol(holdout.parts, question, visitor=question.visitor).enrolment
