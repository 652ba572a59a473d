"""What a readout shows: metrics in a calm order, effects on one axis, evidence in words."""

from collections.abc import Iterator
from dataclasses import dataclass

from experiments.analysis.disclosure import withheld
from experiments.analysis.schemas import (
    Arm,
    Belief,
    Comparison,
    Estimate,
    Harm,
    MetricReadout,
    Readout,
    ResultOut,
    Role,
    SequentialTest,
    Trust,
)
from experiments.design.plans import Plan
from experiments.formats import score, share
from experiments.metrics.schemas import Direction

WIDEST_LIFT = 1.0
NARROWEST_LIFT = 0.02
EDGE = 100.0
"""Where the axis of the drawn intervals ends, to both sides of no difference."""

GROUPS = (
    (Role.PRIMARY, "What decides", "The metric that the plan names."),
    (Role.GUARDRAIL, "What may not get worse", "Each has the margin that the plan allows."),
    (Role.STAGE, "Every later stage", "Of everybody who was assigned and exposed."),
    (Role.SECONDARY, "Also measured", "Described, and not part of the decision."),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """An effect on the common axis, from -100 to 100; what reaches farther is cut off."""

    low: float
    value: float
    high: float
    shrunk: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One arm on one metric."""

    arm: Arm
    comparison: Comparison | None
    bar: Bar | None
    belief: Belief | None
    tone: str
    evidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One metric with its arms, the control first."""

    metric: MetricReadout
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Metrics that play the same part."""

    title: str
    about: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """What the table of results shows; `reach` is the relative change at the ends of its axis."""

    groups: tuple[Group, ...]
    untold: tuple[tuple[str, str], ...]
    reach: float


def results(run: ResultOut) -> Results:
    """Order what a look says for the page."""
    readout = run.readout
    told = [metric for metric in readout.metrics if _has_figure(metric)]
    reach = _reach(told)
    return Results(
        groups=tuple(_groups(told, reach=reach, is_told=not run.withheld)),
        untold=tuple(
            (metric.name, str(metric.arms[0].figure))
            for metric in readout.metrics
            if not _has_figure(metric)
        ),
        reach=reach,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Lead:
    """The variant of which most is to be expected on the primary metric."""

    variant: str
    effect_rel: float


def lead(plan: Plan, readout: Readout, trust: Trust | None) -> Lead | None:
    """Which variant leads, once it may be said: in time, trusted, and better than the control."""
    if withheld(plan, readout, trust):
        return None
    primary = readout.primary
    sign = 1 if primary.direction is Direction.INCREASE else -1
    expected = [
        Lead(variant=item.variant, effect_rel=item.belief.effect_rel)
        for item in primary.comparisons
        if isinstance(item.belief, Belief) and sign * item.belief.effect_rel > 0
    ]
    return max(expected, key=lambda item: sign * item.effect_rel, default=None)


def evidence(metric: MetricReadout, comparison: Comparison) -> str:
    """How far the evidence is against the bound, in words."""
    if harm := _harm(comparison):
        return harm
    test = comparison.test
    if isinstance(test, SequentialTest):
        is_primary = Role.PRIMARY in metric.roles
        return _primary(test) if is_primary else _guardrail(test, metric.margin or 0.0)
    if Role.PRIMARY in metric.roles or metric.margin is not None:
        return test.reason
    effect = comparison.effect_rel
    if not isinstance(effect, Estimate):
        return effect.reason
    if _is_clear(effect):
        return "Described, not tested: its range excludes no difference."
    return "Described, not tested: its range includes no difference."


def _harm(comparison: Comparison) -> str:
    """What needs no minimum: that a variant does harm."""
    if isinstance(comparison.harm, Harm) and comparison.harm.harmful:
        return "Does harm: the exact test of conversions so far says so."
    return ""


def _primary(test: SequentialTest) -> str:
    if not isinstance(test.bound, float):
        return "Enough: the always-valid limit is passed." if test.passed else test.bound.reason
    if test.passed:
        return f"Enough: {score(test.z)}, where {score(test.bound)} is needed at this look."
    if test.z < 0:
        return f"Not better so far: {score(test.z)}, where {score(test.bound)} is needed."
    return f"Not enough yet: {score(test.z)} of the {score(test.bound)} needed at this look."


def _guardrail(test: SequentialTest, margin: float) -> str:
    if test.passed:
        return f"Holds: not worse by {share(margin)} or more."
    if not isinstance(test.bound, float):
        return test.bound.reason
    figures = f"{score(test.z)} of the {score(test.bound)} needed at this look"
    return f"Not shown yet to hold its margin of {share(margin)}: {figures}."


def _groups(told: list[MetricReadout], *, reach: float, is_told: bool) -> Iterator[Group]:
    rest = list(told)
    for role, title, about in GROUPS:
        chosen = [metric for metric in rest if role in metric.roles]
        rest = [metric for metric in rest if metric not in chosen]
        if chosen:
            blocks = tuple(_block(metric, reach=reach, is_told=is_told) for metric in chosen)
            yield Group(title=title, about=about, blocks=blocks)


def _block(metric: MetricReadout, *, reach: float, is_told: bool) -> Block:
    lines = (_line(metric, arm, reach=reach, is_told=is_told) for arm in metric.arms)
    return Block(metric=metric, lines=tuple(lines))


def _line(metric: MetricReadout, arm: Arm, *, reach: float, is_told: bool) -> Line:
    if arm.control:
        said = _measure(arm)
        return Line(arm=arm, comparison=None, bar=None, belief=None, tone="", evidence=said)
    item = metric.comparison(arm.variant)
    effect = item.effect_rel if isinstance(item.effect_rel, Estimate) else None
    belief = item.belief if isinstance(item.belief, Belief) else None
    return Line(
        arm=arm,
        comparison=item,
        bar=_bar(effect, belief, reach) if effect else None,
        belief=belief,
        tone="" if effect is None else _tone(effect, metric.direction),
        evidence=evidence(metric, item) if is_told else _harm(item),
    )


def _measure(control: Arm) -> str:
    """Why the control has no figure; nothing when it has one."""
    return "" if isinstance(control.figure, float) else str(control.figure)


def _bar(effect: Estimate, belief: Belief | None, reach: float) -> Bar:
    def place(value: float) -> float:
        return round(max(-1.0, min(1.0, value / reach)) * EDGE, 2)

    return Bar(
        low=place(effect.ci_low),
        value=place(effect.value),
        high=place(effect.ci_high),
        shrunk=None if belief is None else place(belief.effect_rel),
    )


def _tone(effect: Estimate, direction: Direction) -> str:
    if not _is_clear(effect):
        return ""
    return "good" if (effect.ci_low > 0) == (direction is Direction.INCREASE) else "bad"


def _is_clear(effect: Estimate) -> bool:
    return effect.ci_low > 0 or effect.ci_high < 0


def _reach(told: list[MetricReadout]) -> float:
    """The relative change at the ends of the axis: room for what decides; others may be cut off."""
    decisive = [metric for metric in told if Role.PRIMARY in metric.roles] or told
    ends = [
        abs(end)
        for metric in decisive
        for item in metric.comparisons
        if isinstance(item.effect_rel, Estimate)
        for end in (item.effect_rel.ci_low, item.effect_rel.ci_high)
    ]
    return min(max([NARROWEST_LIFT, *ends]), WIDEST_LIFT)


def _has_figure(metric: MetricReadout) -> bool:
    return any(isinstance(arm.figure, float) for arm in metric.arms)
