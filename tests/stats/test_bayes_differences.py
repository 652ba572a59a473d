"""The posterior of a difference of rates: ordered, mirrored, and as simulated."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stats.bayes_differences import rate_difference
from stats.moments import Counts


@st.composite
def counts(draw, largest):
    visitors = draw(st.integers(0, largest))
    return Counts(visitors=visitors, conversions=draw(st.integers(0, visitors)))


@settings(deadline=None, max_examples=30)
@given(counts(10**6), counts(10**6))
def test_difference__any_counts__interval_is_ordered_and_flips(control, treatment):
    ours, swapped = (
        rate_difference(*pair).at() for pair in ((control, treatment), (treatment, control))
    )
    assert -1 <= ours.ci_low < ours.mean < ours.ci_high <= 1
    assert ours.ci_low == pytest.approx(-swapped.ci_high, abs=1e-7)


def test_difference__very_unequal_arms__matches_simulation(rng):
    control, treatment = Counts(visitors=1e6, conversions=5e4), Counts(visitors=40, conversions=5)
    draws = rng.beta(6, 36, 10**6) - rng.beta(5e4 + 1, 95e4 + 1, 10**6)
    interval = rate_difference(control, treatment, credible_mass=0.9).at()
    np.testing.assert_allclose(
        [interval.ci_low, interval.ci_high], np.quantile(draws, [0.05, 0.95]), atol=5e-4
    )
