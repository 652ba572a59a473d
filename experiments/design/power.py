"""Whether the planned traffic can find the planned effect, in words."""

from collections.abc import Iterator

from experiments.design.schemas import ExperimentOut
from experiments.metrics.schemas import MetricKind, MetricOut
from experiments.shapes import Out
from stats.planning import ExperimentPlan, PlannedMetric, Traffic, plan_experiment

_DAYS_PER_WEEK = 7
CURVE = (0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0)
"""Where the chance to find an effect is worked out, in parts of the smallest worth finding."""


class PowerPoint(Out):
    """The chance to find a relative change of that size within the plan."""

    lift: float
    power: float


class Forecast(Out):
    """What a plan can achieve: time and visitors for its smallest lift, and the chance by size."""

    days_needed: int
    visitors_needed: int
    feasible: bool
    power: float
    smallest_lift: float | None
    curve: list[PowerPoint]


def power_findings(experiment: ExperimentOut, metric: MetricOut) -> Iterator[tuple[str, str]]:
    """Field and sentence of everything that keeps the plan from finding its smallest effect."""
    missing = list(_missing_figures(experiment, metric))
    yield from missing
    if missing:
        return
    achievable = _achievable(experiment, metric)
    if not achievable.feasible:
        plan = experiment.plan
        sentence = (
            f"Finding a change of {plan.minimum_lift:.0%} needs {achievable.days_needed} days, "
            f"{plan.maximum_days} are planned (the chance to find it is {achievable.power:.0%}); "
            "plan more days, cover more visitors, test fewer variants, or look for a larger change."
        )
        yield "/plan/maximum_days", sentence


def forecast(experiment: ExperimentOut, metric: MetricOut) -> Forecast | None:
    """What the plan can find, and with which chance; None while figures are missing."""
    if list(_missing_figures(experiment, metric)):
        return None
    plan, found = experiment.plan, _achievable(experiment, metric)
    lifts = [plan.minimum_lift * factor for factor in CURVE]
    powers = [_achievable(experiment, metric, lift=lift).power for lift in lifts]
    return Forecast(
        days_needed=found.days_needed,
        visitors_needed=found.visitors_needed,
        feasible=found.feasible,
        power=found.power,
        smallest_lift=None if found.mde_abs is None else found.mde_abs / (plan.baseline or 1.0),
        curve=[
            PowerPoint(lift=lift, power=power) for lift, power in zip(lifts, powers, strict=True)
        ],
    )


def _missing_figures(experiment: ExperimentOut, metric: MetricOut) -> Iterator[tuple[str, str]]:
    plan = experiment.plan
    cannot = "nobody knows whether the test can find anything"
    if plan.visitors_per_week is None:
        yield "/plan/visitors_per_week", f"Without the expected visitors {cannot}; estimate them."
    if plan.baseline is None:
        yield "/plan/baseline", f"Without today's figure of {metric.key!r} {cannot}; look it up."
    elif metric.kind is not MetricKind.CONVERSION:
        if plan.baseline_sd is None:
            sentence = f"Without the standard deviation of {metric.key!r} {cannot}; look it up."
            yield "/plan/baseline_sd", sentence
    elif plan.baseline >= 1:
        sentence = f"Metric {metric.key!r} is a rate, so the baseline is below 1 (0.05 is 5%)."
        yield "/plan/baseline", sentence


def _achievable(
    experiment: ExperimentOut, metric: MetricOut, *, lift: float | None = None
) -> ExperimentPlan:
    plan = experiment.plan
    baseline, per_week = plan.baseline or 0.0, plan.visitors_per_week or 0
    place = experiment.place
    share = experiment.coverage * (place.end - place.start if place else 1.0)
    is_rate = metric.kind is MetricKind.CONVERSION
    traffic = Traffic(
        visitors_per_day=per_week * share / _DAYS_PER_WEEK,
        shares=[experiment.control.weight, *(arm.weight for arm in experiment.treatments)],
        horizon_days=plan.maximum_days,
    )
    return plan_experiment(
        PlannedMetric(mean=baseline, sd=None if is_rate else plan.baseline_sd),
        traffic,
        effect_abs=baseline * (plan.minimum_lift if lift is None else lift),
        alpha=plan.alpha,
        power=plan.power,
    )
