"""What a readout shows: intervals on one axis per group, and evidence in words."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from experiments.analysis.schemas import (
    Comparison,
    Estimate,
    MetricReadout,
    Readout,
    Role,
    SequentialTest,
)
from web.charts import Interval, intervals


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A chart with its heading."""

    title: str
    drawing: Markup


def pictures(readout: Readout) -> list[Picture]:
    """The effects on the chosen metrics, and on every later stage of the journey."""
    chosen = [item for item in readout.metrics if set(item.roles) != {Role.STAGE}]
    groups = (
        ("Effect on the metrics of the plan", chosen),
        ("Effect on reaching each stage", readout.stages),
    )
    return [
        Picture(title=title, drawing=intervals(_rows(found), title))
        for title, found in groups
        if found
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
    return f"Not enough: z is {test.z:.2f}, the bound today is {test.bound:.2f}."


def _rows(metrics: Sequence[MetricReadout]) -> tuple[Interval, ...]:
    return tuple(
        _interval(f"{metric.name} · {item.variant}", item.effect_rel)
        for metric in metrics
        for item in metric.comparisons
    )


def _interval(label: str, effect: object) -> Interval:
    if not isinstance(effect, Estimate):
        return Interval(label=label, reason=str(effect))
    return Interval(
        label=label,
        low=effect.ci_low,
        value=effect.value,
        high=effect.ci_high,
        decided=effect.ci_low > 0 or effect.ci_high < 0,
    )
