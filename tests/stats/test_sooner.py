"""Sooner against more on simulated visitors with known truth."""

import numpy as np
import pytest

from stats.errors import InvalidInputError
from stats.moments import Counts, Moments
from stats.results import NotEstimable
from stats.sooner import ConversionTiming, SoonerVerdict, sooner_not_more


def arms(rng, *, rate: float, mean_days: float, runs: int, visitors: int = 10_000):
    """Matured visitors of many runs with a window of 21 days."""
    delays = rng.exponential(mean_days, (runs, visitors))
    converted = (rng.random((runs, visitors)) < rate) & (delays < 21)
    n = converted.sum(axis=1)
    mean = np.where(converted, delays, 0).sum(axis=1) / n
    m2 = np.where(converted, (delays - mean[:, None]) ** 2, 0).sum(axis=1)
    return ConversionTiming(
        matured=Counts(visitors=np.full(runs, visitors), conversions=n),
        delays=Moments(n=n, mean=mean, m2=m2),
    )


def verdicts(seed: int, *, rate: float, mean_days: float, runs: int = 200):
    rng = np.random.default_rng(seed)
    control = arms(rng, rate=0.1, mean_days=5.0, runs=runs)
    result = sooner_not_more(control, arms(rng, rate=rate, mean_days=mean_days, runs=runs))
    return [result.at(run).verdict() for run in range(runs)]


def test_sooner__only_faster__is_called_more_at_most_alpha_and_mostly_sooner():
    found = verdicts(1, rate=0.1, mean_days=3.0)
    # The 21-day window cuts 1.5% of control's late conversions: allowed for above alpha.
    assert found.count(SoonerVerdict.MORE) / 200 <= 0.08 + 3 * np.sqrt(0.08 * 0.92 / 200)
    assert found.count(SoonerVerdict.SOONER) / 200 > 0.8


def test_sooner__only_more__is_called_more():
    found = verdicts(2, rate=0.12, mean_days=5.0)
    assert found.count(SoonerVerdict.MORE) / 200 > 0.95


def test_sooner__no_difference__makes_each_claim_at_most_alpha():
    found = verdicts(3, rate=0.1, mean_days=5.0)
    limit = 0.05 + 3 * np.sqrt(0.05 * 0.95 / 200)
    assert found.count(SoonerVerdict.MORE) / 200 <= limit
    assert found.count(SoonerVerdict.SOONER) / 200 <= limit


def test_sooner__no_conversion_yet__says_so():
    empty = ConversionTiming(
        matured=Counts(visitors=50, conversions=0), delays=Moments(n=0, mean=0, m2=0)
    )
    result = sooner_not_more(empty, empty)
    assert isinstance(result.at(), NotEstimable)
    with pytest.raises(InvalidInputError, match="verdict"):
        result.verdict()


def test_timing__delays_without_their_conversions__are_refused():
    with pytest.raises(InvalidInputError, match="delays"):
        ConversionTiming(
            matured=Counts(visitors=50, conversions=3), delays=Moments(n=2, mean=1, m2=1)
        )
