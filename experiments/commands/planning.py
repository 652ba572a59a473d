"""What a plan can find, before anything is drafted."""

import click

from experiments.commands.terminal import show
from experiments.errors import InvalidError
from stats.errors import InvalidInputError
from stats.planning import ExperimentPlan, PlannedGuardrail, PlannedMetric, Traffic, plan_experiment

DAYS_PER_WEEK = 7
OPTIONS = {
    "mean": "baseline",
    "effect_abs": "lift",
    "visitors_per_day": "visitors-per-week",
    "shares": "share",
    "horizon_days": "days",
    "maturation_days": "window-days",
    "margin_abs": "guardrail",
}
"""What the planner's arguments are called here."""


@click.command("plan")
@click.option("--baseline", type=float, required=True, help="Today's rate (0.05) or mean.")
@click.option("--sd", type=float, help="Standard deviation per visitor, for a mean.")
@click.option("--lift", type=float, default=0.1, show_default=True, help="Relative change to find.")
@click.option("--visitors-per-week", type=float, required=True, help="All arms together.")
@click.option("--days", type=float, default=28, show_default=True, help="Horizon of the test.")
@click.option("--window-days", type=float, default=0, help="Days until a visitor has matured.")
@click.option("--share", "shares", type=float, multiple=True, help="Per arm, control first.")
@click.option("--guardrail", "margins", type=float, multiple=True, help="Relative margin of one.")
@click.option("--alpha", type=float, default=0.05, show_default=True, help="One-sided, in total.")
@click.option("--power", type=float, default=0.8, show_default=True)
def plan(
    *,
    baseline: float,
    sd: float | None,
    lift: float,
    visitors_per_week: float,
    days: float,
    window_days: float,
    shares: tuple[float, ...],
    margins: tuple[float, ...],
    alpha: float,
    power: float,
) -> None:
    """Say how many visitors and days a sequential test needs, and what it can find in time.

    Guardrails are planned on the same metric's figures.
    """
    try:
        metric = PlannedMetric(mean=baseline, sd=sd)
        found = plan_experiment(
            metric,
            Traffic(
                visitors_per_day=visitors_per_week / DAYS_PER_WEEK,
                shares=shares or (0.5, 0.5),
                horizon_days=days,
                maturation_days=window_days,
            ),
            effect_abs=abs(baseline) * lift,
            guardrails=[
                PlannedGuardrail(metric=metric, margin_abs=abs(baseline) * margin, alpha=alpha)
                for margin in margins
            ],
            alpha=alpha,
            power=power,
        )
    except InvalidInputError as error:
        option = OPTIONS.get(error.field, error.field)
        raise InvalidError.at(f"/--{option}", error.fix) from error
    _tell(found, baseline)


def _tell(found: ExperimentPlan, baseline: float) -> None:
    smallest = found.mde_abs
    rows = [
        ("matured visitors needed", f"{found.visitors_needed:,}"),
        ("days needed", str(found.days_needed)),
        ("chance to find the change in time", f"{found.power:.1%}"),
        ("the same with every guardrail passing", f"{found.power_with_guardrails:.1%}"),
        (
            "smallest change found in time",
            "none" if smallest is None else f"{smallest:.4g} ({smallest / abs(baseline):+.1%})",
        ),
    ]
    show(f"The plan {found.verdict}", ("figure", "value"), rows)
