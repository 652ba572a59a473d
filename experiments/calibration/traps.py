"""The traps that other tools fall into: sooner, a broken split, sessions, a guardrail's margin."""

from dataclasses import replace
from functools import partial

import numpy as np

from experiments.analysis.data import Cell, ExperimentData
from experiments.analysis.engine import read
from experiments.analysis.quality import ALARM_LOG_E, judge_quality
from experiments.analysis.schemas import FixedHorizon, SequentialTest
from experiments.calibration.figures import mean_row
from experiments.calibration.panels import Panel
from experiments.calibration.promotions import ALPHA, CHANCE_SES, promoted, promoted_rows
from experiments.calibration.scenarios import (
    GUARDRAIL,
    HOURS_PER_DAY,
    PRIMARY,
    Scenario,
    alike,
)
from experiments.calibration.schemas import Outcomes, Row, Study
from experiments.calibration.screening import Screen, screen
from experiments.calibration.trials import endings, look_at, passing
from experiments.calibration.worlds import cumulative, rate_track, simulate
from experiments.metrics.schemas import MetricKind
from stats.arrays import BoolArray, FloatArray
from stats.moments import Counts, JointMoments
from stats.proportions import unpooled_z
from stats.ratios import ratio_difference
from stats.sample_ratio import sample_ratio_e_value

WINDOW_DAYS = 21
SOONER = Scenario(look_hours=HOURS_PER_DAY, window_hours=WINDOW_DAYS * HOURS_PER_DAY)
DELAY_DAYS = (5.0, 3.0)
"""Mean time from exposure to conversion, control and treatment."""

HOURLY = Scenario()
BROKEN_SHARES = (0.52, 0.48)

SESSIONS = Scenario(kind=MetricKind.RATIO, look_hours=HOURS_PER_DAY)
VISITORS = 1000
EXTRA_SESSIONS = 2.0
CONVERSION_SHAPE = (0.6, 5.4)
"""Visitors differ: their conversion per session follows a beta distribution of mean 10%."""

AT_MARGIN = Scenario(look_hours=HOURS_PER_DAY, guardrail_rate=0.3, margin=0.05)


def studies() -> list[Study]:
    """Every study of a trap."""
    return [_sooner(), _fair_split(), _broken_split(), _sessions(), _guardrail()]


def _sooner() -> Study:
    return Study(
        key="sooner",
        title="Sooner is not more",
        how=(
            "Converters of the treatment take 3 instead of 5 days on average, as many convert in "
            "the end; a window of 21 days, 28 daily looks."
        ),
        batch=_sooner_batch,
        rows=promoted_rows,
        full=10_000,
        quick=500,
        size=500,
    )


def _fair_split() -> Study:
    return Study(
        key="split-fair",
        title="False alarms of the planned split",
        how="1,000 visitors a day, split as planned, 672 hourly looks.",
        batch=partial(_split_batch, shares=(0.5, 0.5)),
        rows=_fair_rows,
        full=10_000,
        quick=1_000,
        size=250,
    )


def _broken_split() -> Study:
    return Study(
        key="split-broken",
        title="A split of 52 to 48 instead of even",
        how="1,000 visitors a day, 672 hourly looks.",
        batch=partial(_split_batch, shares=BROKEN_SHARES),
        rows=_broken_rows,
        full=2_000,
        quick=100,
        size=100,
    )


def _sessions() -> Study:
    return Study(
        key="sessions",
        title="Conversions per session",
        how=(
            "1,000 visitors an arm with three sessions on average, who differ in how readily they "
            "convert; no effect; one look at the end, two-sided at 5%."
        ),
        batch=_session_batch,
        rows=_session_rows,
        full=20_000,
        quick=1_000,
        size=500,
    )


def _guardrail() -> Study:
    return Study(
        key="guardrail",
        title="A guardrail exactly at its margin",
        how="30% of the control do it, 5% fewer of the treatment: the margin; 28 daily looks.",
        batch=_guardrail_batch,
        rows=_guardrail_rows,
        full=10_000,
        quick=500,
        size=500,
    )


def _sooner_batch(experiments: int, rng: np.random.Generator) -> Outcomes:
    panel = simulate(SOONER, alike(SOONER, experiments), rng=rng)
    conversions = np.diff(panel.tracks[PRIMARY].conversions, axis=1).astype(np.int64)
    observed = np.zeros_like(conversions)
    for arm, mean in enumerate(DELAY_DAYS):
        spread = rng.multinomial(conversions[..., arm], _delays(mean))
        for delay in range(WINDOW_DAYS):
            late = spread[:, : SOONER.steps - delay, delay]
            observed[:, delay:, arm] += late
    track = rate_track(panel.tracks[PRIMARY].conversions, observed=cumulative(observed))
    return promoted(endings(replace(panel, tracks={PRIMARY: track})))


def _delays(mean_days: float) -> FloatArray:
    """Chances of each whole day of delay, within the window."""
    reached = 1 - np.exp(-np.arange(WINDOW_DAYS + 1) / mean_days)
    return np.asarray(np.diff(reached) / reached[-1])


def _split_batch(
    experiments: int, rng: np.random.Generator, *, shares: tuple[float, float]
) -> Outcomes:
    fair = alike(HOURLY, experiments)
    truth = replace(fair, arrivals=2 * fair.arrivals * np.array(shares))
    panel = simulate(HOURLY, truth, rng=rng)
    evidence = sample_ratio_e_value(panel.visitors[:, 1:], HOURLY.shares[0]).log_e_value
    alarmed = np.ma.getdata(evidence)[:, HOURLY.lag :] > ALARM_LOG_E
    return {
        "alarm": np.array(
            [_is_alarm(panel, number, looks=looks) for number, looks in enumerate(alarmed)]
        )
    }


def _is_alarm(panel: Panel, experiment: int, *, looks: BoolArray) -> float:
    """Whether the real check alarms, at the first look at which the screen expects it."""
    if not looks.any():
        return 0.0
    look = int(np.argmax(looks)) + 1
    protocol = panel.scenario.protocol(look, name="split")
    return float(judge_quality(panel.data(experiment, look), protocol).sample_ratio.alarm)


def _fair_rows(outcomes: Outcomes) -> list[Row]:
    return [mean_row("alarms", outcomes["alarm"], at_most=0.001, allowed_ses=CHANCE_SES)]


def _broken_rows(outcomes: Outcomes) -> list[Row]:
    return [mean_row("found", outcomes["alarm"], at_least=0.99)]


def _session_batch(experiments: int, rng: np.random.Generator) -> Outcomes:
    shape = (experiments, 2, VISITORS)
    sessions = 1 + rng.poisson(EXTRA_SESSIONS, size=shape)
    conversions = rng.binomial(sessions, rng.beta(*CONVERSION_SHAPE, size=shape))
    per_visitor = JointMoments.from_values(np.stack([conversions, sessions], axis=-1))
    expected = ratio_difference(_arm(per_visitor, 0), _arm(per_visitor, 1)).p_two_sided
    totals = [
        Counts(visitors=sessions[:, arm].sum(axis=-1), conversions=conversions[:, arm].sum(axis=-1))
        for arm in (0, 1)
    ]
    pooled = unpooled_z(*totals).p_two_sided
    # Far from the limit the real code cannot come to another answer than the same function here.
    is_near = np.ma.getdata(expected) < 2 * ALPHA
    return {
        "per visitor": np.array(
            [
                float(near and _session_p_value(per_visitor, number) < ALPHA)
                for number, near in enumerate(is_near)
            ]
        ),
        "per session": (np.ma.getdata(pooled) < ALPHA).astype(np.float64),
    }


def _arm(moments: JointMoments, arm: int) -> JointMoments:
    return JointMoments(
        n=np.full(len(moments.means), VISITORS),
        means=moments.means[:, arm],
        comoments=moments.comoments[:, arm],
    )


def _session_p_value(moments: JointMoments, experiment: int) -> float:
    """The p-value that the real analysis shows at the end of the horizon."""
    cells = [
        Cell(
            variant=variant,
            phase=1,
            visitors=VISITORS,
            matured=VISITORS,
            conversions=None,
            means=tuple(moments.means[experiment, arm].tolist()),
            comoments=tuple(tuple(row) for row in moments.comoments[experiment, arm].tolist()),
            observed_conversions=None,
            observed_total=float(moments.means[experiment, arm, 0] * VISITORS),
        )
        for arm, variant in enumerate(SESSIONS.arms)
    ]
    last = SESSIONS.looks
    data = ExperimentData(
        cells={PRIMARY: cells}, split=[], contaminated=0, newest_at=SESSIONS.as_of(last)
    )
    readout = read(data, SESSIONS.protocol(last, name="sessions"), earlier={})
    fixed = readout.primary.comparison(SESSIONS.arms[1]).fixed
    return fixed.p_two_sided if isinstance(fixed, FixedHorizon) else 1.0


def _session_rows(outcomes: Outcomes) -> list[Row]:
    return [
        mean_row("significant, by visitor", outcomes["per visitor"], at_most=0.055),
        mean_row("significant, if sessions were counted as units", outcomes["per session"]),
    ]


def _guardrail_batch(experiments: int, rng: np.random.Generator) -> Outcomes:
    fair = alike(AT_MARGIN, experiments)
    factors = np.array([1.0, 1 - AT_MARGIN.margin])
    panel = simulate(
        AT_MARGIN, replace(fair, guardrail_rates=fair.guardrail_rates * factors), rng=rng
    )
    screened = screen(panel)
    test = screened.tests[GUARDRAIL]
    passed = passing(panel, AT_MARGIN.questions[1], test=test, may=test.may_pass)[:, :, 0]
    return {
        "passed": np.array(
            [
                float(_guardrail_passes(panel, screened, experiment=number, looks=looks))
                for number, looks in enumerate(passed)
            ]
        )
    }


def _guardrail_passes(panel: Panel, screened: Screen, *, experiment: int, looks: BoolArray) -> bool:
    """Whether the real code ever finds the guardrail inside its margin, at the looks expected."""
    for look in (np.flatnonzero(looks) + 1).tolist():
        readout = look_at(panel, screened, experiment=experiment, look=look)
        found = readout.guardrails[0].comparison(AT_MARGIN.arms[1]).test
        if isinstance(found, SequentialTest) and found.passed:
            return True
    return False


def _guardrail_rows(outcomes: Outcomes) -> list[Row]:
    return [
        mean_row(
            "shown harmless at any look",
            outcomes["passed"],
            at_most=ALPHA,
            allowed_ses=CHANCE_SES,
        )
    ]
