"""What a readout shows: effects on one axis, what cannot be told yet, evidence in words."""

from markupsafe import Markup

from experiments.analysis.schemas import (
    Comparison,
    Estimate,
    MetricReadout,
    Readout,
    SequentialTest,
)
from experiments.formats import score
from web.charts import Interval, intervals


def picture(readout: Readout) -> Markup | None:
    """Every effect that can be told, on one axis; nothing when there is none yet."""
    rows = tuple(
        _interval(f"{metric.name} · {item.variant}", item.effect_rel)
        for metric in readout.metrics
        for item in metric.comparisons
        if isinstance(item.effect_rel, Estimate)
    )
    return intervals(rows, "Effect on each metric and stage") if rows else None


def told(readout: Readout) -> list[MetricReadout]:
    """The metrics of which at least one arm has a figure."""
    return [metric for metric in readout.metrics if _has_figure(metric)]


def untold(readout: Readout) -> list[tuple[str, str]]:
    """The metrics without any figure yet, each with the reason."""
    return [
        (metric.name, str(metric.arms[0].figure))
        for metric in readout.metrics
        if not _has_figure(metric)
    ]


def evidence(comparison: Comparison) -> str:
    """How far the evidence is, without any number that would mislead before its time."""
    test = comparison.test
    if not isinstance(test, SequentialTest):
        return test.reason
    if test.passed:
        return "Enough: the bound is passed."
    if not isinstance(test.bound, float):
        return test.bound.reason
    return f"Not enough: z is {score(test.z)}, the bound today is {score(test.bound)}."


def _has_figure(metric: MetricReadout) -> bool:
    return any(isinstance(arm.figure, float) for arm in metric.arms)


def _interval(label: str, effect: Estimate) -> Interval:
    return Interval(
        label=label,
        low=effect.ci_low,
        value=effect.value,
        high=effect.ci_high,
        decided=effect.ci_low > 0 or effect.ci_high < 0,
    )
