"""Bounds against published tables and SciPy's multivariate normal, and the on-line rules."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from stats.errors import InvalidInputError
from stats.group_sequential import (
    SequentialState,
    next_look,
    next_looks,
    probability_not_stopped,
    replay,
)
from stats.results import NotEstimable
from stats.spending import obrien_fleming, pocock, power_family


@pytest.mark.parametrize(
    ("spending", "published"),
    [
        (obrien_fleming, [4.877, 3.357, 2.680, 2.290, 2.031]),
        (pocock, [2.438, 2.427, 2.410, 2.397, 2.386]),
    ],
)
def test_bounds__five_equal_looks__are_those_of_the_published_tables(spending, published):
    """Lan-DeMets bounds at two-sided 0.05 as tabulated by Reboussin et al. (2000)."""
    looks = [(k / 5, k / 5) for k in range(1, 6)]
    bounds, _ = replay(looks, spending=spending, alpha=0.025, two_sided=True)
    np.testing.assert_allclose(bounds, published, atol=6e-4)


def test_bounds__calendar_and_information_apart__spend_what_the_calendar_allows():
    calendar = np.array([0.2, 0.45, 0.8, 1.0])
    information = np.array([3.0, 40.0, 45.0, 100.0])
    bounds, _ = replay(zip(calendar, information, strict=True), spending=pocock, alpha=0.05)
    low, high = (
        np.minimum.outer(information, information),
        np.maximum.outer(information, information),
    )
    joint = stats.multivariate_normal(cov=np.sqrt(low / high))
    for look in range(1, 5):
        below = np.append(bounds[:look], [np.inf] * (4 - look))
        spent = 1 - joint.cdf(below, rng=np.random.default_rng(1))
        assert spent == pytest.approx(float(pocock(calendar[look - 1], 0.05)), abs=3e-5)


def test_bounds__any_unit_of_information__stay_the_same():
    small, _ = replay([(0.3, 3e-9), (0.7, 8e-9), (1.0, 1e-8)], alpha=0.05)
    large, _ = replay([(0.3, 3e9), (0.7, 8e9), (1.0, 1e10)], alpha=0.05)
    np.testing.assert_allclose(small, large, rtol=1e-7)


def test_bounds__672_hourly_looks__keep_all_probability():
    looks = [(hour / 672, hour / 672 * 1e4) for hour in range(1, 673)]
    bounds, state = replay(looks, alpha=0.05)
    left = probability_not_stopped(state, np.asarray(0.0))
    assert float(left) == pytest.approx(0.95, abs=5e-6)
    assert bounds[-1] < bounds[300]


def test_next_look__no_new_information__changes_nothing():
    bound, state = next_look(SequentialState(), calendar_fraction=0.5, information=10.0)
    again, same = next_look(state, calendar_fraction=0.9, information=10.0)
    assert same is state
    assert again == bound


def test_next_look__information_fell__last_bound_stands_until_it_is_exceeded():
    bound, state = next_look(SequentialState(), calendar_fraction=0.5, information=10.0)
    lower, same = next_look(state, calendar_fraction=0.6, information=9.5)
    _, later = next_look(same, calendar_fraction=0.7, information=11.0)
    assert (lower, same) == (bound, state)
    assert later.looks == 2


def test_next_look__no_new_error__cannot_reject_and_loses_nothing():
    early, state = next_look(SequentialState(), calendar_fraction=0.01, information=1.0)
    assert isinstance(early, NotEstimable)
    assert state.looks == 0
    _, final = next_look(state, calendar_fraction=1.0, information=50.0)
    beyond, same = next_look(final, calendar_fraction=1.5, information=60.0)
    assert isinstance(beyond, NotEstimable)
    assert same is final


def test_next_look__nobody_yet__is_not_an_error():
    bound, state = next_look(SequentialState(), calendar_fraction=0.0, information=0.0)
    assert isinstance(bound, NotEstimable)
    assert state.looks == 0


@pytest.mark.parametrize("information", [float("nan"), float("inf"), -1.0])
def test_next_look__impossible_information__names_the_field(information):
    with pytest.raises(InvalidInputError, match="information"):
        next_look(SequentialState(), calendar_fraction=0.5, information=information)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(0, 1.2), st.floats(0, 1e6)),
        min_size=1,
        max_size=8,
    ),
    st.booleans(),
)
def test_replay__any_history__gives_finite_bounds_and_splits_anywhere(looks, two_sided):
    looks = sorted(looks)
    bounds, state = replay(looks, spending=power_family(3.0), alpha=0.05, two_sided=two_sided)
    assert all(isinstance(bound, NotEstimable) or np.isfinite(bound) for bound in bounds)
    assert state.spent <= 0.05 * (1 + 1e-9)
    again, same = next_look(
        state,
        calendar_fraction=looks[-1][0],
        information=state.information,
        spending=power_family(3.0),
    )
    assert same is state
    assert again == state.bound


def test_next_looks__experiments_with_stalls_and_repeats__equal_each_alone(rng):
    growth = rng.uniform(0.0, 3.0, (7, 12)) * (rng.random((7, 12)) > 0.3)
    information = np.cumsum(growth, axis=1)
    designs = [SequentialState(two_sided=i % 2 == 1) for i in range(7)]
    together, alone = designs, list(designs)
    for look in range(12):
        plan = {"calendar_fraction": (look + 1) / 12, "spending": pocock, "alpha": 0.025}
        bounds, together = next_looks(together, information=information[:, look], **plan)
        for i, state in enumerate(alone):
            bound, alone[i] = next_look(state, information=information[i, look], **plan)
            assert bounds[i] == (bound if isinstance(bound, NotEstimable) else pytest.approx(bound))
    assert [state.looks for state in together] == [state.looks for state in alone]


def test_next_looks__shape_unlike_the_states__is_refused():
    with pytest.raises(InvalidInputError, match="information"):
        next_looks([SequentialState()] * 3, calendar_fraction=0.5, information=[1.0, 2.0])


def test_bounds__simulated_null_with_uneven_information__reject_no_more_than_alpha():
    rng = np.random.default_rng(20260101)
    growth = rng.uniform(0.1, 3.0, 28)
    information = np.cumsum(growth)
    bounds, _ = replay([((k + 1) / 28, information[k]) for k in range(28)], alpha=0.05)
    limits = np.array([b if isinstance(b, float) else np.inf for b in bounds])
    runs = 100_000
    z = np.cumsum(rng.normal(size=(runs, 28)) * np.sqrt(growth), axis=1) / np.sqrt(information)
    rejected = float(np.mean(np.any(z >= limits, axis=1)))
    assert rejected == pytest.approx(0.05, abs=4 * np.sqrt(0.05 * 0.95 / runs))


def test_probability_not_stopped__fixed_test__is_the_textbook_power():
    _, state = replay([(1.0, 100.0)], alpha=0.025)
    missed = probability_not_stopped(state, np.array([0.0, 0.2802]))
    np.testing.assert_allclose(missed, stats.norm.cdf([1.959964, 1.959964 - 2.802]), atol=1e-6)


@pytest.mark.slow
def test_bounds__information_estimated_from_ramping_conversions__keep_alpha():
    rng = np.random.default_rng(17)
    runs, days = 1000, 21
    visitors = np.cumsum(rng.poisson([400] * 5 + [900] * 8 + [2000] * 8, (runs, days)), axis=1)
    arms = [
        np.cumsum(rng.binomial(np.diff(visitors, axis=1, prepend=0), 0.05), axis=1) for _ in "ab"
    ]
    rates = [conversions / visitors for conversions in arms]
    information = visitors / sum(rate * (1 - rate) for rate in rates)
    z = (rates[1] - rates[0]) * np.sqrt(information)
    states, rejected = [SequentialState()] * runs, np.zeros(runs, bool)
    for day in range(days):
        bounds, states = next_looks(
            states, calendar_fraction=(day + 1) / days, information=information[:, day]
        )
        limits = [np.inf if isinstance(bound, NotEstimable) else bound for bound in bounds]
        rejected |= z[:, day] >= limits
    assert rejected.mean() == pytest.approx(0.05, abs=3 * np.sqrt(0.05 * 0.95 / runs))


@pytest.mark.parametrize("growth", [1.5e-4, 1e-3, 1e-2])
def test_bounds__step_much_smaller_than_the_last__spend_what_the_calendar_allows(growth):
    looks = [(0.5, 1.0), (0.8, 1.5), (0.9, 1.5 * (1 + growth)), (1.0, 2.0)]
    bounds, _ = replay(looks, alpha=0.045)
    information = np.array([look[1] for look in looks])
    correlation = np.sqrt(
        np.minimum.outer(information, information) / np.maximum.outer(information, information)
    )
    inside = stats.multivariate_normal.cdf(bounds, cov=correlation, abseps=1e-7, rng=3)
    assert 1 - inside == pytest.approx(0.045, abs=2e-5)
