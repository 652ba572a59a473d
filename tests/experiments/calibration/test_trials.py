"""The screen leaves out no look that matters: every look through the real code ends the same."""

import numpy as np
import pytest

from experiments.analysis.engine import looks_of, read
from experiments.analysis.sequential import history
from experiments.calibration.scenarios import RAMPED, Scenario, Truth, alike
from experiments.calibration.screening import screen
from experiments.calibration.trials import METHODS, Ending, endings, look_at
from experiments.calibration.worlds import simulate
from experiments.decisions.gate import judge
from experiments.decisions.schemas import Outcome
from experiments.decisions.trust import Facts
from experiments.metrics.schemas import MetricKind
from stats.sequential_power import sequential_power

SITE = Scenario(visitors_per_day=3000, look_hours=24, days=14, guardrail_rate=0.3, margin=0.05)


def every_look(panel, experiment: int) -> dict:
    """What production does: every look with its history, judged until something follows."""
    removed = dict.fromkeys(METHODS, frozenset())
    found, seen = {}, []
    for look in range(1, panel.scenario.looks + 1):
        protocol = panel.scenario.protocol(look, name="each")
        readout = read(panel.data(experiment, look), protocol, earlier=history(seen))
        seen += looks_of(readout)
        for method in METHODS:
            if method in found:
                continue
            plan = panel.scenario.plan.model_copy(update={"method": method})
            verdict = judge(readout, plan, Facts(enrolling=True, removed=removed[method]))
            removed[method] |= set(verdict.harmed)
            if verdict.outcome in (Outcome.PROMOTE, Outcome.ABORT):
                found[method] = (verdict.outcome, look, verdict.variant)
    nothing = (Outcome.CONTINUE, panel.scenario.looks, None)
    return {method: found.get(method, nothing) for method in METHODS}


def told(panel, ending: Ending) -> tuple:
    variant = panel.scenario.arms[ending.variant] if ending.variant else None
    return ending.outcome, ending.look, variant


@pytest.mark.parametrize(
    ("kind", "times"),
    [
        (MetricKind.CONVERSION, 1),
        pytest.param(MetricKind.CONVERSION, 3, marks=pytest.mark.slow),
        pytest.param(MetricKind.SUM, 2, marks=pytest.mark.slow),
        pytest.param(MetricKind.RATIO, 2, marks=pytest.mark.slow),
    ],
)
def test_endings__every_look_through_the_real_code__are_the_same(kind, times, rng):
    scenario = Scenario(
        kind=kind,
        treatments=2,
        ramps=RAMPED,
        visitors_per_day=6000,
        look_hours=24,
        days=14,
    )
    lifts = [[1.0, 1.0, 1.05], [1.0, 1.15, 1.2], [1.0, 0.6, 1.0], [1.0, 0.0, 0.0]]
    lifts = np.tile(lifts, (times, 1))
    even = alike(scenario, len(lifts))
    truth = Truth(
        arrivals=even.arrivals,
        rates=even.rates * lifts,
        values=even.values,
        guardrail_rates=even.guardrail_rates,
    )
    panel = simulate(scenario, truth, rng=rng)
    expected = [every_look(panel, number) for number in range(len(lifts))]
    found = [{m: told(panel, e[m]) for m in METHODS} for e in endings(panel)]
    assert found == expected
    outcomes = {ending[METHODS[0]][0] for ending in expected}
    assert outcomes >= {Outcome.ABORT, Outcome.CONTINUE}
    # More orders of the same value do not change the value per order.
    assert (Outcome.PROMOTE in outcomes) is (kind is not MetricKind.RATIO)


def test_endings__guardrail_that_is_harmed__promote_only_the_harmless(rng):
    even = alike(SITE, 6, lift=0.25)
    harmed = np.array([[0.3, 0.3], [0.3, 0.2]] * 3)
    truth = Truth(
        arrivals=even.arrivals, rates=even.rates, values=even.values, guardrail_rates=harmed
    )
    panel = simulate(SITE, truth, rng=rng)
    outcomes = [ending[METHODS[0]].outcome for ending in endings(panel)]
    assert outcomes == [Outcome.PROMOTE, Outcome.ABORT] * 3
    assert outcomes == [every_look(panel, number)[METHODS[0]][0] for number in range(6)]


def test_screen__history_of_looks__is_what_the_real_readouts_write_down(rng):
    panel = simulate(SITE, alike(SITE, 1), rng=rng)
    screened = screen(panel)
    for look in (1, 7, 14):
        for item in looks_of(look_at(panel, screened, experiment=0, look=look)):
            information = screened.tests[item.metric].information[0, look - 1, 0]
            assert item.information == pytest.approx(information, rel=1e-9)


@pytest.mark.slow
def test_endings__true_lift__promotes_as_often_as_the_theory_says(rng):
    scenario = Scenario(visitors_per_day=2000, look_hours=24)
    panel = simulate(scenario, alike(scenario, 250, lift=0.1), rng=rng)
    promoted = np.mean([e[METHODS[0]].outcome is Outcome.PROMOTE for e in endings(panel)])
    drift = 0.005 / np.sqrt((0.05 * 0.95 + 0.055 * 0.945) / 28_000)
    expected = float(sequential_power(drift, alpha=0.045))
    assert promoted == pytest.approx(expected, abs=4 * np.sqrt(expected * (1 - expected) / 250))
