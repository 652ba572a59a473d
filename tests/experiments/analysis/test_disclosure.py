"""Nothing that compares arms is told before its time, and harm always is."""

from datetime import timedelta

import pytest

from experiments.analysis.disclosure import withheld
from experiments.analysis.queries import latest_run, result
from experiments.analysis.schemas import Estimate, Harm, Light, Trust
from experiments.analysis.service import analyse
from experiments.design.plans import Plan
from stats.results import NotEstimable

DAY = timedelta(days=1)
GREEN, RED = (Trust(light=light, reasons=[], checks=[]) for light in (Light.GREEN, Light.RED))


@pytest.fixture
def looked(start_trial, act, now):
    """A trial of twice as many sign-ups, looked at after some days."""

    def look(days):
        trial = start_trial(plan=Plan(minimum_days=7, maximum_days=14))
        trial.expose("control", 1000, acts=())
        trial.expose("control", 150, acts=[act("Signed Up")])
        trial.expose("bold", 850, acts=())
        trial.expose("bold", 300, acts=[act("Signed Up")])
        for variant in ("control", "bold"):
            trial.expose(variant, at=now + (days - 0.5) * DAY)
        analyse(trial.session, trial.key, now=now + days * DAY)
        return trial

    return look


def test_result__before_the_least_days__tells_counts_and_harm_only(looked, now):
    trial = looked(3)

    told = result(trial.session, trial.key, now=now + 3 * DAY)

    assert told.withheld == "it is too early: there are 2 of 7 days of matured visitors"
    primary = told.readout.primary
    assert [(arm.matured, arm.conversions) for arm in primary.arms] == [(1150, 150), (1150, 300)]
    item = primary.comparison("bold")
    hidden = (item.effect_abs, item.effect_rel, item.test, item.fixed, item.belief, item.timing)
    assert {str(figure) for figure in hidden} == {told.withheld}
    assert isinstance(item.harm, Harm)


def test_result__in_time_and_trusted__is_the_stored_look(looked, now):
    trial = looked(8.5)
    run = latest_run(trial.session, trial.key)
    assert run is not None

    assert withheld(trial.experiment.plan, run.readout, GREEN) == ""
    assert isinstance(run.readout.primary.comparison("bold").effect_rel, Estimate)


def test_withheld__data_not_trusted__says_so_whatever_the_time(looked):
    trial = looked(8.5)
    run = latest_run(trial.session, trial.key)
    assert run is not None

    assert "cannot be trusted" in withheld(trial.experiment.plan, run.readout, RED)
    needy = trial.experiment.plan.model_copy(update={"minimum_conversions": 200})
    assert "150 of 200 conversions" in withheld(needy, run.readout, GREEN)
    assert not isinstance(run.readout.primary.comparison("bold").belief, NotEstimable)
