"""Whether the intervals that people see hold the truth as often as they say."""

from functools import partial

import numpy as np

from experiments.analysis.comparison import SHOWN_ALPHA
from experiments.analysis.schemas import Comparison, Estimate, FixedHorizon
from experiments.calibration.figures import mean_row
from experiments.calibration.panels import Panel
from experiments.calibration.scenarios import HOURS_PER_DAY, Scenario, alike
from experiments.calibration.schemas import Outcomes, Row, Study
from experiments.calibration.screening import hypothesis, pairs_of, screen
from experiments.calibration.trials import look_at
from experiments.calibration.worlds import simulate
from experiments.metrics.schemas import MetricKind
from stats.arrays import FloatArray
from stats.confidence_sequences import asymptotic_cs_two_sided
from stats.effects import ArmEstimate
from stats.relative import lift_log
from stats.results import NotEstimable

TRUE_LIFT = 0.05
KINDS = (MetricKind.CONVERSION, MetricKind.SUM, MetricKind.RATIO)


def studies() -> list[Study]:
    """Coverage for each kind of metric."""
    return [
        Study(
            key=f"coverage-{kind}",
            title=f"Coverage of intervals of the relative effect: {kind} metric",
            how=f"Two variants, a true lift of {TRUE_LIFT:.0%}, 2,000 visitors a day for 28 days.",
            batch=partial(
                _batch,
                scenario=Scenario(kind=kind, visitors_per_day=2000, look_hours=HOURS_PER_DAY),
            ),
            rows=_rows,
            full=2_000,
            quick=100,
            size=100,
        )
        for kind in KINDS
    ]


def _batch(experiments: int, rng: np.random.Generator, *, scenario: Scenario) -> Outcomes:
    panel = simulate(scenario, alike(scenario, experiments, lift=TRUE_LIFT), rng=rng)
    screened = screen(panel)
    compared = [
        look_at(panel, screened, experiment=number, look=scenario.looks).primary.comparisons[0]
        for number in range(experiments)
    ]
    return {
        "last day": np.array([_holds(_fixed(item)) for item in compared]),
        "every day": _always_holds(panel),
        "last day, sequence": np.array([_holds(item.effect_rel) for item in compared]),
    }


def _fixed(comparison: Comparison) -> Estimate | NotEstimable:
    fixed = comparison.fixed
    return fixed.effect_rel if isinstance(fixed, FixedHorizon) else fixed


def _holds(shown: Estimate | NotEstimable) -> float:
    if isinstance(shown, NotEstimable):
        return float("nan")
    return float(shown.ci_low <= TRUE_LIFT <= shown.ci_high)


def _always_holds(panel: Panel) -> FloatArray:
    """Whether the interval for any look holds the truth at all looks together."""
    question = panel.scenario.questions[0]
    control, treatment = pairs_of(panel, question)[0]
    lift = lift_log(control, treatment)
    interval = asymptotic_cs_two_sided(
        np.ma.filled(lift.effect_log, 0.0),
        np.ma.filled(lift.se_log, 0.0),
        visitors=_visitors(control, treatment),
        alpha=SHOWN_ALPHA,
        n_star=hypothesis(panel, question, arm=1).n_star,
    )
    truth = np.log1p(TRUE_LIFT)
    missed = (interval.ci_low > truth) | (interval.ci_high < truth)
    return np.asarray(1.0 - np.ma.filled(missed, fill_value=False).any(axis=1))


def _visitors(control: ArmEstimate, treatment: ArmEstimate) -> FloatArray:
    return np.asarray(control.n + treatment.n)


def _rows(outcomes: Outcomes) -> list[Row]:
    return [
        mean_row(
            "holds the truth, interval of the last day",
            outcomes["last day"],
            at_least=0.93,
            at_most=0.97,
        ),
        mean_row(
            "holds it on every day, interval for any look", outcomes["every day"], at_least=0.93
        ),
        mean_row("holds it on the last day, interval for any look", outcomes["last day, sequence"]),
    ]
