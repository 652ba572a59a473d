"""What happened to an experiment that its curves over time must be read with."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from experiments.decisions.schemas import DecisionOut, Outcome, PromotionOut
from experiments.design.schemas import ExperimentOut
from experiments.formats import share, words


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Something that happened, to be written at its time."""

    at: datetime
    label: str


def marks(
    experiment: ExperimentOut,
    decision: DecisionOut | None,
    promotion: PromotionOut | None,
    *,
    until: datetime,
) -> list[Mark]:
    """Phases, variants taken out, the stop, the decision and its promotion, by their time.

    What came after the last look stands at `until`, the end of the curve.
    """
    found = [*_course(experiment), *_ending(decision, promotion)]
    within = [Mark(at=min(mark.at, until), label=mark.label) for mark in found]
    return sorted(within, key=lambda mark: mark.at)


def _course(experiment: ExperimentOut) -> Iterator[Mark]:
    for before, phase in zip(experiment.phases, experiment.phases[1:], strict=False):
        grown = phase.coverage > before.coverage
        said = f"{share(phase.coverage)} let in" if grown else f"phase {phase.number}"
        yield Mark(at=phase.started_at, label=said)
    for variant in experiment.variants:
        if variant.removed_at:
            yield Mark(at=variant.removed_at, label=f"{variant.called} taken out")
    if experiment.stopped_at:
        yield Mark(at=experiment.stopped_at, label="stopped")


def _ending(decision: DecisionOut | None, promotion: PromotionOut | None) -> Iterator[Mark]:
    if decision and decision.outcome is not Outcome.CONTINUE:
        yield Mark(at=decision.at, label=f"decided: {words(decision.outcome)}")
    if promotion and promotion.applied_at:
        yield Mark(at=promotion.applied_at, label="made standard")
    if promotion and promotion.rolled_back_at:
        yield Mark(at=promotion.rolled_back_at, label="taken back")
