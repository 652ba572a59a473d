"""How often the gate promotes when there is nothing to find, and when there is something."""

from collections.abc import Sequence
from functools import partial

import numpy as np
import scipy

from experiments.calibration.figures import mean_row, ratio_row
from experiments.calibration.scenarios import HOURS_PER_DAY, PRIMARY, RAMPED, Scenario, alike
from experiments.calibration.schemas import Outcomes, Row, Study
from experiments.calibration.screening import screen
from experiments.calibration.trials import Ending, endings
from experiments.calibration.worlds import simulate
from experiments.decisions.schemas import Outcome
from experiments.design.plans import Method
from experiments.metrics.schemas import MetricKind
from stats.arrays import FloatArray

ALPHA = Scenario().plan.alpha
CHANCE_SES = 3.0
"""A share of simulated experiments may lie this many standard errors above its limit by chance."""

TRUE_LIFT = 0.1
PLANNED_VISITORS = 1800
"""Visitors a day with which one look on the last day finds the true lift with about 80%."""

WHAT_HAPPENS = {Method.SEQUENTIAL: "sequential method", Method.BAYESIAN: "Bayesian method"}


def studies() -> list[Study]:
    """Every study of promotions."""
    kinds = (MetricKind.CONVERSION, MetricKind.SUM, MetricKind.RATIO)
    return [
        *(_hourly_nulls(kind) for kind in kinds),
        _ramp(),
        _power(
            Scenario(visitors_per_day=PLANNED_VISITORS, look_hours=HOURS_PER_DAY),
            at_least=0.95,
            full=10_000,
        ),
        _power(Scenario(visitors_per_day=PLANNED_VISITORS), at_least=0.95, allowed_ses=CHANCE_SES),
        _power(
            Scenario(visitors_per_day=1000, look_hours=HOURS_PER_DAY),
            full=10_000,
        ),
    ]


def _hourly_nulls(kind: MetricKind) -> Study:
    scenario = Scenario(kind=kind, treatments=2, ramps=RAMPED, visitors_per_day=2000)
    return Study(
        key=f"nulls-{kind}",
        title=f"Nothing to find: {kind} metric, hourly looks, ramp, three variants",
        how=(
            "A control and two variants that do not differ; 2,000 visitors a day for 28 days, by "
            "day and on weekdays more, on weekends more ready to convert; the treated part rises "
            "from 5% over 20% to 50%; 672 looks."
        ),
        batch=partial(_nulls, scenario=scenario),
        rows=promoted_rows,
        full=10_000,
        quick=100,
        size=500,
    )


def _ramp() -> Study:
    return Study(
        key="ramp",
        title="Nothing to find: conversion metric, daily looks, ramp, two variants",
        how=(
            "1,000 visitors a day; the treated part rises from 5% over 20% to 50% during a week "
            "in which conversion changes from day to day, so that pooled figures would mislead."
        ),
        batch=partial(_nulls, scenario=Scenario(ramps=RAMPED, look_hours=HOURS_PER_DAY)),
        rows=promoted_rows,
        full=10_000,
        quick=500,
        size=500,
    )


def _power(
    scenario: Scenario,
    *,
    at_least: float | None = None,
    allowed_ses: float = 0.0,
    full: int = 600,
) -> Study:
    planned = scenario.visitors_per_day == PLANNED_VISITORS
    often = "hourly" if scenario.look_hours == 1 else "daily"
    return Study(
        key=f"power-{scenario.visitors_per_day:.0f}-{often}",
        title=(
            f"A true lift of {TRUE_LIFT:.0%}, {'as planned' if planned else 'planned too small'}, "
            f"{often} looks"
        ),
        how=(
            f"Two variants, 5% convert, {scenario.visitors_per_day:,.0f} visitors a day for 28 "
            f"days, with which one look on the last day has "
            f"{'the 80% power that a plan asks for' if planned else 'too little power'}."
        ),
        batch=partial(_lifted, scenario=scenario),
        rows=partial(_power_rows, at_least=at_least, allowed_ses=allowed_ses),
        full=full,
        quick=full // 50,
        size=full // 25,
    )


def _nulls(experiments: int, rng: np.random.Generator, *, scenario: Scenario) -> Outcomes:
    panel = simulate(scenario, alike(scenario, experiments), rng=rng)
    return promoted(endings(panel))


def promoted(found: Sequence[dict[Method, Ending]]) -> dict[str, FloatArray]:
    """Whether each experiment was promoted, a column per method."""
    return {
        method: np.array([float(ending[method].outcome is Outcome.PROMOTE) for ending in found])
        for method in WHAT_HAPPENS
    }


def promoted_rows(outcomes: Outcomes) -> list[Row]:
    """The promoted share of each method, which chance may lift a little above alpha."""
    return [
        mean_row(f"promoted, {words}", outcomes[method], at_most=ALPHA, allowed_ses=CHANCE_SES)
        for method, words in WHAT_HAPPENS.items()
    ]


def _lifted(experiments: int, rng: np.random.Generator, *, scenario: Scenario) -> Outcomes:
    panel = simulate(scenario, alike(scenario, experiments, lift=TRUE_LIFT), rng=rng)
    found = endings(panel)
    last_z = screen(panel).tests[PRIMARY].z[:, -1, 0]
    days = [
        ending[Method.SEQUENTIAL].look * scenario.look_hours / HOURS_PER_DAY for ending in found
    ]
    return {
        **promoted(found),
        "fixed": (last_z >= -scipy.special.ndtri(ALPHA)).astype(np.float64),
        "days": np.array(days),
    }


def _power_rows(outcomes: Outcomes, *, at_least: float | None, allowed_ses: float) -> list[Row]:
    fixed = outcomes["fixed"]
    return [
        mean_row("found by one look on the last day", fixed),
        *(mean_row(f"promoted, {words}", outcomes[m]) for m, words in WHAT_HAPPENS.items()),
        ratio_row(
            "promoted by the sequential method for each found by one look",
            outcomes[Method.SEQUENTIAL],
            fixed,
            at_least=at_least,
            allowed_ses=allowed_ses,
        ),
        mean_row("matured days to the promotion, else 28", outcomes["days"]),
    ]
