"""Delays of converters, counted by hand, and what they say beside the matured conversion."""

from datetime import timedelta

import numpy as np
import pytest

from experiments.analysis.data import Delays
from experiments.analysis.schemas import Timing
from experiments.analysis.timing import timing
from experiments.metrics.schemas import Direction
from stats.effects import z_effect
from stats.results import NotEstimable
from stats.sooner import SoonerVerdict

HOUR = timedelta(hours=1)


def test_live_cells__several_events__count_from_the_first_inside_the_window(
    start_trial, act, live_cells
):
    trial = start_trial()
    hours = [1.0, 3.0, 8.0]
    for taken in hours:
        acts = [act("Signed Up", -1), act("Signed Up", taken), act("Signed Up", taken + 1)]
        trial.expose("control", acts=acts)
    trial.expose("control", acts=[act("Signed Up", 30)])
    trial.expose("control", at=trial.started_at + 47 * HOUR, acts=[act("Signed Up", 0.5)])
    as_of = trial.started_at + 48 * HOUR
    (cell,) = live_cells(trial, "headline.signed-up", as_of=as_of)
    assert cell.conversions == 3
    assert cell.delays.mean == pytest.approx(np.mean(hours))
    assert cell.delays.m2 == pytest.approx(np.var(hours) * 3)


@pytest.fixture
def arms(rate_cell):
    """A control and a treatment with exponential delays, in one or more phases."""

    def made(hours, conversions=(500, 500), phases=(1,)):
        return [
            [
                rate_cell(arm, 5000, converted, phase=phase).model_copy(
                    update={"delays": Delays(mean=mean, m2=converted * mean**2)}
                )
                for phase in phases
            ]
            for arm, mean, converted in zip(("control", "bold"), hours, conversions, strict=True)
        ]

    return made


def found(cells, *, gain=0.0, direction=Direction.INCREASE):
    effect = z_effect(np.array(gain), np.array(0.006), alpha=0.05).at()
    return timing(*cells, effect=effect, direction=direction, alpha=0.05)


def test_timing__earlier_and_not_more__is_sooner(arms):
    told = found(arms((20.0, 12.0), phases=(1, 2)))
    assert (told.control_hours, told.treatment_hours) == pytest.approx((20.0, 12.0))
    assert told.verdict is SoonerVerdict.SOONER


def test_timing__earlier_and_more__is_more(arms):
    assert found(arms((20.0, 12.0)), gain=0.03).verdict is SoonerVerdict.MORE


def test_timing__no_change__is_neither(arms):
    assert found(arms((20.0, 20.0))).verdict is SoonerVerdict.NEITHER


def test_timing__phases_with_other_delays__are_never_pooled(arms):
    # Within each phase the arms are alike; only their mix over the phases differs.
    fast, slow = arms((2.0, 2.0), (900, 100)), arms((40.0, 40.0), (100, 900), phases=(2,))
    told = found([fast[0] + slow[0], fast[1] + slow[1]])
    assert told.control_hours == pytest.approx(told.treatment_hours)
    assert told.verdict is SoonerVerdict.NEITHER


@pytest.mark.parametrize("case", ["imported", "fewer is better", "no effect"])
def test_timing__cannot_be_told__says_why(arms, rate_cell, case):
    cells = arms((20.0, 12.0))
    if case == "imported":
        told = found([[rate_cell("control", 10, 5)], [rate_cell("bold", 10, 5)]])
    elif case == "fewer is better":
        told = found(cells, direction=Direction.DECREASE)
    else:
        reason = NotEstimable("nobody")
        told = timing(*cells, effect=reason, direction=Direction.INCREASE, alpha=0.05)
    assert not isinstance(told, Timing)
    assert told.reason
