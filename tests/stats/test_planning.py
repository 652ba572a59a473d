"""Plans against simulated sequential tests and the fixed-test formulas."""

import dataclasses

import numpy as np
import pytest
from scipy import stats

from stats.errors import InvalidInputError
from stats.planning import (
    PlannedGuardrail,
    PlannedMetric,
    Traffic,
    plan_experiment,
)

RATE = PlannedMetric(mean=0.05)
TRAFFIC = Traffic(visitors_per_day=1000, shares=[0.5, 0.5], horizon_days=28)


def test_plan__too_little_time__says_so_and_the_needed_time_is_enough():
    short = plan_experiment(RATE, TRAFFIC, effect_abs=0.005)
    assert not short.feasible
    assert short.power < 0.8
    assert str(short.days_needed) in short.verdict
    longer = dataclasses.replace(TRAFFIC, horizon_days=short.days_needed)
    enough = plan_experiment(RATE, longer, effect_abs=0.005)
    assert enough.feasible
    assert enough.power >= 0.8


def test_plan__its_smallest_effect__is_found_with_the_wanted_power():
    plan = plan_experiment(RATE, TRAFFIC, effect_abs=0.005)
    assert plan.mde_abs is not None
    again = plan_experiment(RATE, TRAFFIC, effect_abs=plan.mde_abs)
    assert again.power == pytest.approx(0.8, abs=1e-6)
    assert again.visitors_needed == pytest.approx(28_000, abs=2)


def test_plan__revenue_with_one_guardrail__has_the_guardrail_power_of_the_textbook():
    guardrail = PlannedGuardrail(metric=PlannedMetric(mean=30.0, sd=60.0), margin_abs=1.5)
    plan = plan_experiment(
        PlannedMetric(mean=2.0, sd=10.0), TRAFFIC, effect_abs=0.4, guardrails=[guardrail]
    )
    se = 60.0 * np.sqrt(2 / 14_000)
    textbook = stats.norm.sf(stats.norm.isf(0.05) - 1.5 / se)
    assert plan.guardrail_powers == pytest.approx((textbook,), abs=1e-9)
    assert plan.power_with_guardrails <= min(plan.power, textbook)


def test_plan__more_guardrails_or_variants__never_need_fewer_visitors():
    guardrail = PlannedGuardrail(metric=PlannedMetric(mean=0.2), margin_abs=0.02)
    plain = plan_experiment(RATE, TRAFFIC, effect_abs=0.005)
    guarded = plan_experiment(RATE, TRAFFIC, effect_abs=0.005, guardrails=[guardrail] * 3)
    several = plan_experiment(
        RATE, dataclasses.replace(TRAFFIC, shares=[0.25] * 4), effect_abs=0.005
    )
    assert plain.visitors_needed < guarded.visitors_needed
    assert 2 * plain.visitors_needed < several.visitors_needed


def test_plan__uneven_arms__need_more_visitors_than_even_ones():
    uneven = dataclasses.replace(TRAFFIC, shares=[0.9, 0.1])
    assert (
        plan_experiment(RATE, uneven, effect_abs=0.005).visitors_needed
        > plan_experiment(RATE, TRAFFIC, effect_abs=0.005).visitors_needed
    )


def test_plan__window_longer_than_the_test__cannot_succeed_in_words():
    late = dataclasses.replace(TRAFFIC, maturation_days=30)
    plan = plan_experiment(RATE, late, effect_abs=0.02)
    assert not plan.feasible
    assert plan.mde_abs is None
    assert "cannot succeed" in plan.verdict


def test_plan__huge_effect_on_a_rare_event__still_waits_for_the_minimum_of_conversions():
    plan = plan_experiment(PlannedMetric(mean=0.001), TRAFFIC, effect_abs=0.05)
    assert plan.visitors_needed == 200_000


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"effect_abs": 0.0}, "effect_abs"),
        ({"effect_abs": 1e-200}, "effect_abs"),
        ({"reserve": 0.05}, "reserve"),
        ({"power": 0.01}, "power"),
        ({"alpha": 2.0}, "alpha"),
    ],
)
def test_plan__impossible_wish__names_the_field(change, field):
    with pytest.raises(InvalidInputError, match=field):
        plan_experiment(RATE, TRAFFIC, **({"effect_abs": 0.005} | change))


def test_traffic__impossible_numbers__name_the_field():
    with pytest.raises(InvalidInputError, match="shares"):
        Traffic(visitors_per_day=10, shares=[1.0], horizon_days=7)
    with pytest.raises(InvalidInputError, match="maturation_days"):
        Traffic(visitors_per_day=10, shares=[1, 1], horizon_days=7, maturation_days=-1)
    with pytest.raises(InvalidInputError, match="mean"):
        PlannedMetric(mean=1.5)
