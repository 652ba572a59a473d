"""Conditions on one variant: enough conversions, evidence, guardrails, belief, no harm."""

from experiments.analysis.harm import HARM_LOG_E
from experiments.analysis.schemas import (
    Arm,
    Harm,
    MetricReadout,
    Readout,
    SequentialTest,
    Timing,
    Unit,
)
from experiments.decisions.schemas import Condition, Ruling
from experiments.decisions.trust import ruling
from experiments.design.plans import Method, Plan
from experiments.metrics.schemas import Direction
from stats.results import NotEstimable
from stats.sooner import SoonerVerdict

MORE = "more, not only sooner"
NO_HARM = "no harm"
MIN_CHANCE_TO_WIN = 0.95
MAX_EXPECTED_LOSS = 0.0025
"""Relative loss that a wrong promotion may cost on average, by belief."""


def harm(readout: Readout, variant: str, *, called: str) -> list[Condition]:
    """Whether the variant, which sentences call so, does harm to the primary or a guardrail."""
    watched = {metric.key: metric for metric in (readout.primary, *readout.guardrails)}
    return [_harm(metric, variant, called=called) for metric in watched.values()]


def merit(readout: Readout, plan: Plan, variant: str, *, called: str) -> list[Condition]:
    """Whether the variant, which sentences call so, has earned to become the standard."""
    return [
        _conversions(readout, plan, variant),
        _evidence(readout, variant, called=called),
        _more(readout, variant, called=called),
        *(
            _guardrail(metric, variant, called=called, finished=readout.finished)
            for metric in readout.guardrails
        ),
        *(_beliefs(readout, variant, called=called) if plan.method is Method.BAYESIAN else ()),
    ]


def comes_sooner(readout: Readout, variant: str) -> bool:
    """Whether the variant brings conversions earlier and not more of them."""
    found = readout.primary.comparison(variant).timing
    return isinstance(found, Timing) and found.verdict is SoonerVerdict.SOONER


def _harm(metric: MetricReadout, variant: str, *, called: str) -> Condition:
    found = metric.comparison(variant).harm
    harmful = isinstance(found, Harm) and found.harmful
    figure, threshold, unit = _harm_figure(found)
    return Condition(
        condition=NO_HARM,
        variant=variant,
        metric=metric.key,
        figure=figure,
        threshold=threshold,
        unit=unit,
        ruling=Ruling.FAILED if harmful else Ruling.PASSED,
        words=(
            f"Variant {called} {_damage(metric, variant)}."
            if harmful
            else f"No sign that {called} harms {metric.name}."
        ),
    )


def _harm_figure(
    found: Harm | NotEstimable,
) -> tuple[float | NotEstimable, float, Unit]:
    """The evidence that speaks, with its threshold: of what matured, or exact."""
    if isinstance(found, NotEstimable):
        return found, HARM_LOG_E, Unit.LOG_E
    if isinstance(found.highest, float) and found.highest < 0:
        return found.highest, 0.0, Unit.NONE
    return found.log_e_value, HARM_LOG_E, Unit.LOG_E


def _damage(metric: MetricReadout, variant: str) -> str:
    """What a harmful variant does; one that nobody converts in is broken rather than worse."""
    arm = metric.arm(variant)
    if metric.direction is Direction.INCREASE and arm.observed_conversions == 0:
        return f"is dead: none of its {arm.visitors:,} visitors counts on {metric.name}"
    return f"does harm to {metric.name}"


def _conversions(readout: Readout, plan: Plan, variant: str) -> Condition:
    metric = readout.primary
    control = next(arm for arm in metric.arms if arm.control)
    counted = [_conversions_of(arm) for arm in (control, metric.arm(variant))]
    fewest, needed = min(counted), plan.minimum_conversions
    return Condition(
        condition="enough conversions",
        variant=variant,
        metric=metric.key,
        figure=float(fewest),
        threshold=float(needed),
        unit=Unit.CONVERSIONS,
        ruling=ruling(passed=fewest >= needed, finished=readout.finished),
        words=f"{fewest:,} conversions in the smaller arm of {needed:,} needed.",
    )


def _evidence(readout: Readout, variant: str, *, called: str) -> Condition:
    metric = readout.primary
    test = metric.comparison(variant).test
    passed = isinstance(test, SequentialTest) and test.passed
    state = "shown" if passed else "not shown"
    return Condition(
        condition="evidence",
        variant=variant,
        metric=metric.key,
        figure=_z(test),
        threshold=_bound(test),
        unit=Unit.Z,
        ruling=ruling(passed=passed, finished=readout.finished),
        words=f"That {called} is better on {metric.name} is {state}{_distance(test)}.",
    )


def _more(readout: Readout, variant: str, *, called: str) -> Condition:
    metric = readout.primary
    found = metric.comparison(variant).timing
    sooner = comes_sooner(readout, variant)
    earlier = found.treatment_hours - found.control_hours if isinstance(found, Timing) else found
    return Condition(
        condition=MORE,
        variant=variant,
        metric=metric.key,
        figure=earlier,
        threshold=NotEstimable("only together with more conversions is an earlier one a gain"),
        unit=Unit.HOURS,
        ruling=ruling(passed=not sooner, finished=readout.finished),
        words=(
            f"{called} brings {metric.name} {-float(earlier):,.0f} hours sooner and not more often."
            if sooner and isinstance(earlier, float)
            else f"The effect of {called} is no mere head start: only matured visitors count."
        ),
    )


def _guardrail(metric: MetricReadout, variant: str, *, called: str, finished: bool) -> Condition:
    test = metric.comparison(variant).test
    passed = isinstance(test, SequentialTest) and test.passed
    state = "shown" if passed else "not shown"
    return Condition(
        condition="guardrail",
        variant=variant,
        metric=metric.key,
        figure=_z(test),
        threshold=_bound(test),
        unit=Unit.Z,
        ruling=ruling(passed=passed, finished=finished),
        words=(
            f"That {called} worsens {metric.name} by less than {metric.margin or 0:.1%} "
            f"is {state}{_distance(test)}."
        ),
    )


def _beliefs(readout: Readout, variant: str, *, called: str) -> list[Condition]:
    belief = readout.primary.comparison(variant).belief
    if isinstance(belief, NotEstimable):
        chance: float | NotEstimable = belief
        loss: float | NotEstimable = belief
    else:
        chance, loss = belief.chance_to_win, belief.expected_loss
    likely = isinstance(chance, float) and chance >= MIN_CHANCE_TO_WIN
    cheap = isinstance(loss, float) and loss <= MAX_EXPECTED_LOSS
    return [
        Condition(
            condition="chance to win",
            variant=variant,
            metric=readout.primary.key,
            figure=chance,
            threshold=MIN_CHANCE_TO_WIN,
            unit=Unit.SHARE,
            ruling=ruling(passed=likely, finished=readout.finished),
            words=f"The chance that {called} is better must be {MIN_CHANCE_TO_WIN:.0%} or more.",
        ),
        Condition(
            condition="expected loss",
            variant=variant,
            metric=readout.primary.key,
            figure=loss,
            threshold=MAX_EXPECTED_LOSS,
            unit=Unit.SHARE,
            ruling=ruling(passed=cheap, finished=readout.finished),
            words=f"What {called} costs, if it is worse, must be under {MAX_EXPECTED_LOSS:.2%}.",
        ),
    ]


def _conversions_of(arm: Arm) -> int:
    # Imported means do not say how many converted; every visitor of theirs carries a value.
    return arm.matured if isinstance(arm.conversions, NotEstimable) else arm.conversions


def _z(test: SequentialTest | NotEstimable) -> float | NotEstimable:
    return test.z if isinstance(test, SequentialTest) else test


def _bound(test: SequentialTest | NotEstimable) -> float | NotEstimable:
    return test.bound if isinstance(test, SequentialTest) else test


def _distance(test: SequentialTest | NotEstimable) -> str:
    if isinstance(test, NotEstimable):
        return f": {test}"
    if isinstance(test.bound, NotEstimable):
        return f" ({test.bound})"
    if test.z <= 0:
        return " (so far the data point the other way)"
    return f" ({test.z / test.bound:.0%} of the evidence that it takes)"
