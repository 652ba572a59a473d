"""Quantile metrics by simulation, with and without visitors who have several events."""

import numpy as np
import pytest

from stats.arrays import Reason
from stats.effects import welch_effect
from stats.errors import InvalidInputError
from stats.moments import JointMoments
from stats.quantiles import quantile_estimate, rank_levels, share_design_effect
from stats.ratios import ratio_estimate


def estimate(events, level=0.9, design_effect=1.0):
    low, high = rank_levels(level, events.size)
    return quantile_estimate(
        np.quantile(events, level),
        events=events.size,
        ranked_events=events.size,
        lower=np.quantile(events, low),
        upper=np.quantile(events, high),
        design_effect=design_effect,
    )


def test_quantile_estimate__independent_events__variance_is_what_the_quantile_has(rng):
    found = [estimate(events) for events in rng.exponential(size=(600, 1000))]
    spread = np.var([e.value for e in found])
    assert np.mean([e.variance for e in found]) == pytest.approx(spread, rel=0.2)


def clustered(rng, visitors=150, each=8):
    return np.exp(rng.normal(size=(visitors, 1)) + 0.3 * rng.normal(size=(visitors, each)))


def test_quantile_estimate__several_events_per_visitor__need_the_design_effect(rng):
    plain, adjusted, values = [], [], []
    for _ in range(300):
        events = clustered(rng)
        below = (events <= np.quantile(events, 0.9)).sum(axis=1)
        rows = np.stack([below, np.full(len(events), events.shape[1])], axis=-1)
        share = ratio_estimate(JointMoments.from_values(rows))
        effect = share_design_effect(share, events=events.size)
        values.append(np.quantile(events, 0.9))
        plain.append(estimate(events.ravel()).variance)
        adjusted.append(estimate(events.ravel(), design_effect=effect).variance)
    assert np.mean(plain) < 0.4 * np.var(values)
    assert np.mean(adjusted) == pytest.approx(np.var(values), rel=0.3)


def test_quantile_estimate__no_or_equal_events__say_so(rng):
    none = quantile_estimate(0.0, events=0, ranked_events=0, lower=0.0, upper=0.0)
    assert welch_effect(none, estimate(rng.random(50))).at().reason == Reason.NO_UNITS.words
    equal = estimate(np.ones(50))
    assert welch_effect(equal, equal).at().reason == Reason.NO_VARIANCE.words


def test_share_design_effect__one_value_only__is_one():
    share = ratio_estimate(JointMoments.from_values([[2, 2], [3, 3], [1, 1]]))
    assert share_design_effect(share, events=6) == 1.0


def test_quantile_estimate__crossed_limits__are_refused():
    with pytest.raises(InvalidInputError, match="upper"):
        quantile_estimate(5.0, events=9, ranked_events=9, lower=6.0, upper=5.0)
