"""From the end of an experiment to a statement in words, with its strength; pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from experiments.analysis.schemas import (
    Belief,
    Comparison,
    Estimate,
    Light,
    MetricReadout,
    RunOut,
    Trust,
)
from experiments.decisions.schemas import DecisionOut, Outcome
from experiments.design.schemas import ExperimentOut, VariantOut
from experiments.formats import lift
from experiments.learnings.schemas import Evidence, Figure, Lesson, Strength

LONGEST_QUOTE = 80
DECIDED = (
    Outcome.PROMOTE,
    Outcome.CONFLICT,
    Outcome.KEEP,
    Outcome.NEUTRAL,
    Outcome.SOONER,
    Outcome.ABORT,
)
"""Outcomes that say something about the world, not only about the experiment."""

REVIEW_AFTER = {
    Strength.STRONG: timedelta(days=365),
    Strength.MODERATE: timedelta(days=180),
    Strength.WEAK: timedelta(days=90),
    Strength.VOID: timedelta(days=30),
}
"""When a learning should be tested again: visitors change, and weak ones age first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """How an experiment ended: with which look, which decision, by which words."""

    experiment: ExperimentOut
    touchpoint: str
    run: RunOut | None
    decision: DecisionOut | None
    trust: Trust | None
    reason: str


def lesson(end: End) -> Lesson:
    """What an ended experiment teaches, also when it lost, found nothing or was aborted."""
    primary = None if end.run is None else end.run.readout.primary
    outcome = None if end.decision is None else end.decision.outcome
    return Lesson(
        statement=_statement(end, primary),
        strength=_strength(outcome, end.trust),
        evidence=Evidence(
            outcome=outcome,
            reason=end.reason if end.decision is None else end.decision.sentence,
            metric=end.experiment.primary_metric,
            metric_name=end.experiment.primary_metric if primary is None else primary.name,
            look=None if end.run is None else end.run.look,
            data_hash="" if end.run is None else end.run.data_hash,
            light=None if end.trust is None else end.trust.light,
            figures=[] if primary is None else _figures(end.experiment, primary),
        ),
    )


def _strength(outcome: Outcome | None, trust: Trust | None) -> Strength:
    if trust is not None and trust.light is Light.RED:
        return Strength.VOID
    if trust is None or outcome not in DECIDED:
        return Strength.WEAK
    return Strength.STRONG if trust.light is Light.GREEN else Strength.MODERATE


def _statement(end: End, primary: MetricReadout | None) -> str:
    place = f"At {end.touchpoint}"
    if primary is None:
        return f"{place}, nothing was learned about {_all(end)}: nobody was counted. {end.reason}"
    if end.trust is not None and end.trust.light is Light.RED:
        why = end.trust.reasons[0]
        return f"{place}, nothing can be said about {_all(end)}: the data cannot be trusted. {why}"
    match None if end.decision is None else end.decision.outcome:
        case Outcome.PROMOTE | Outcome.CONFLICT:
            return f"{place}, {_winner(end, primary)}"
        case Outcome.KEEP:
            said = f"makes {primary.name} worse"
        case Outcome.NEUTRAL:
            said = f"does not improve {primary.name} enough to matter"
        case Outcome.SOONER:
            said = f"brings {primary.name} sooner, and not more of it"
        case Outcome.ABORT:
            said = f"does harm to {primary.name} or to what is guarded"
        case None:
            said = f"was ended before there was an answer on {primary.name}"
        case _:
            said = f"was tried, and {primary.name} gave no clear answer"
    return (
        f"{place}, {_all(end)} {said} ({_measured(end.experiment, primary)}). {_why(end)}".strip()
    )


def _winner(end: End, primary: MetricReadout) -> str:
    key = end.decision.variant if end.decision is not None and end.decision.variant else ""
    comparison = primary.comparison(key)
    shown = _shown(next(arm for arm in end.experiment.variants if arm.key == key))
    belief, seen = comparison.belief, comparison.effect_rel
    parts = []
    if isinstance(belief, Belief):
        span = f"between {lift(belief.ci_low)} and {lift(belief.ci_high)}"
        parts.append(f"{lift(belief.effect_rel)} to be expected, {span}")
    if isinstance(seen, Estimate):
        parts.append(f"{lift(seen.value)} measured")
    told = f" ({'; '.join(parts)})" if parts else ""
    return f"{shown} improves {primary.name}{told}."


def _measured(experiment: ExperimentOut, primary: MetricReadout) -> str:
    called = {arm.key: arm.called for arm in experiment.variants}
    return "; ".join(f"{called[item.variant]}: {_effect(item)}" for item in primary.comparisons)


def _effect(comparison: Comparison) -> str:
    effect = comparison.effect_rel
    if not isinstance(effect, Estimate):
        return str(effect)
    return f"{lift(effect.value)}, between {lift(effect.ci_low)} and {lift(effect.ci_high)}"


def _why(end: End) -> str:
    return end.reason if end.decision is None else ""


def _all(end: End) -> str:
    return _listed([_shown(arm) for arm in end.experiment.treatments])


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"each of {', '.join(words)}"


def _shown(arm: VariantOut) -> str:
    """What the variant shows when that is short, and what it is called otherwise."""
    content = arm.content if isinstance(arm.content, str) else ""
    called = content if 0 < len(content) <= LONGEST_QUOTE else arm.called
    return f"\u201c{called}\u201d"


def _figures(experiment: ExperimentOut, primary: MetricReadout) -> list[Figure]:
    arms = {arm.key: arm for arm in experiment.variants}
    return [
        Figure(
            variant=item.variant,
            shown=_shown(arms[item.variant]),
            visitors=primary.arm(item.variant).visitors,
            effect_rel=item.effect_rel,
            believed=(
                Estimate(
                    value=item.belief.effect_rel,
                    ci_low=item.belief.ci_low,
                    ci_high=item.belief.ci_high,
                )
                if isinstance(item.belief, Belief)
                else item.belief
            ),
        )
        for item in primary.comparisons
    ]
