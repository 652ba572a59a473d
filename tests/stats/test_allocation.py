"""Adaptive shares against direct sampling, and honest analysis of adaptive data."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stats.allocation import batched_effect, best_low_rate, thompson_shares, top_two_shares
from stats.arrays import Reason
from stats.bayes_means import best_mean
from stats.bayes_rates import best_rate
from stats.best_arm import BestArm
from stats.errors import InvalidInputError
from stats.moments import Counts
from stats.proportions import rate_estimate, unpooled_z
from stats.results import NotEstimable

ARMS = Counts(visitors=[400, 400, 300], conversions=[40, 52, 36])


def test_top_two__three_arms__draws_like_top_two_thompson_sampling():
    rng = np.random.default_rng(9)
    draws = 200_000
    rates = rng.beta(1 + ARMS.conversions, 1 + ARMS.visitors - ARMS.conversions, (draws, 3))
    leader = rates.argmax(axis=1)
    again = rng.beta(1 + ARMS.conversions, 1 + ARMS.visitors - ARMS.conversions, (draws, 3))
    challenger = again.argmax(axis=1)
    keep = challenger != leader
    shares = np.bincount(leader, minlength=3) / draws
    # The challenger is redrawn until it differs: condition on the leader, then on differing.
    second = sum(
        shares[arm]
        * np.bincount(challenger[keep & (leader == arm)], minlength=3)
        / np.sum(keep & (leader == arm))
        for arm in range(3)
    )
    found = top_two_shares(best_rate(ARMS), floor=0.0)
    np.testing.assert_allclose(found, 0.5 * shares + 0.5 * second, atol=0.006)


def test_top_two__two_arms__get_one_half_each():
    arms = Counts(visitors=[1000, 1000], conversions=[50, 300])
    np.testing.assert_allclose(top_two_shares(best_rate(arms), floor=0.1), [0.5, 0.5])


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 10**6), st.floats(0, 1)), min_size=2, max_size=5),
    st.floats(0, 0.2),
)
def test_shares__any_arms__respect_the_floor_and_sum_to_one(arms, floor):
    visitors = np.array([n for n, _ in arms])
    best = best_rate(
        Counts(visitors=visitors, conversions=[np.floor(n * rate) for n, rate in arms])
    )
    for shares in (thompson_shares(best, floor=floor), top_two_shares(best, floor=floor)):
        assert float(shares.sum()) == pytest.approx(1.0)
        assert np.all(shares >= floor - 1e-12)


def test_thompson__lower_is_better__favours_the_lower_rate_and_mean():
    low = thompson_shares(best_low_rate(Counts(visitors=[900, 900], conversions=[90, 120])))
    assert low[0] > 0.9
    mean = thompson_shares(best_mean(-np.array([3.0, 4.0]), [0.3, 0.3]))
    assert mean[0] > 0.9


def test_shares__undefined_chances__are_even():
    unknown = BestArm(
        reason=np.full(4, Reason.NO_UNITS), p_best=np.zeros(4), expected_loss=np.zeros(4)
    )
    np.testing.assert_allclose(thompson_shares(unknown), 0.25)
    np.testing.assert_allclose(top_two_shares(unknown), 0.25)


def test_shares__many_experiments__are_computed_in_one_pass():
    best = best_rate(Counts(visitors=np.full((4, 3), 100), conversions=np.arange(12).reshape(4, 3)))
    assert top_two_shares(best).shape == thompson_shares(best).shape == (4, 3)


def test_shares__impossible_floor_or_share__name_the_field():
    best = best_rate(ARMS)
    with pytest.raises(InvalidInputError, match="floor"):
        thompson_shares(best, floor=0.4)
    with pytest.raises(InvalidInputError, match="leader_share"):
        top_two_shares(best, leader_share=1.5)


def test_batched_effect__thompson_sampled_null__keeps_its_error_where_pooling_does_not():
    rng = np.random.default_rng(12)
    runs, batches, size = 1500, 12, 200
    visitors, conversions = np.zeros((2, runs, batches, 2))
    share = np.full(runs, 0.5)
    for batch in range(batches):
        treated = rng.binomial(size, share)
        visitors[:, batch] = np.stack([size - treated, treated], axis=-1)
        conversions[:, batch] = rng.binomial(visitors[:, batch].astype(int), 0.3)
        total, won = visitors.sum(axis=1), conversions.sum(axis=1)
        drawn = rng.beta(1 + won, 1 + total - won, (60, runs, 2))
        share = np.clip(np.mean(drawn[..., 1] > drawn[..., 0], axis=0), 0.1, 0.9)

    arms = [Counts(visitors=visitors[..., i], conversions=conversions[..., i]) for i in (0, 1)]
    batched = batched_effect(*(rate_estimate(arm) for arm in arms))
    whole = [Counts(visitors=total[:, i], conversions=won[:, i]) for i in (0, 1)]
    pooled = unpooled_z(*whole)
    noise = np.sqrt(0.05 * 0.95 / runs)
    assert np.mean(batched.p_two_sided <= 0.05) == pytest.approx(0.05, abs=4 * noise)
    assert np.mean(pooled.p_two_sided <= 0.05) > 0.05 + 2 * noise
    covered = np.mean((batched.ci_low <= 0) & (batched.ci_high >= 0))
    assert covered == pytest.approx(0.95, abs=4 * noise)


def test_batched_effect__one_batch_with_even_arms__is_the_ordinary_test():
    arms = Counts(visitors=[500], conversions=[50]), Counts(visitors=[500], conversions=[70])
    total = batched_effect(*(rate_estimate(arm) for arm in arms)).at()
    assert total.statistic == pytest.approx(float(unpooled_z(*arms).statistic[0]))


def test_batched_effect__batch_without_one_arm__is_left_out():
    def total(control, treatment):
        visitors, conversions = (100, 0, 100), (10, 0, 20)
        arms = (
            Counts(
                visitors=[visitors[i] for i in batches],
                conversions=[conversions[i] for i in batches],
            )
            for batches in (control, treatment)
        )
        return batched_effect(*(rate_estimate(arm) for arm in arms)).at()

    assert total((0, 1, 0), (2, 0, 2)) == total((0, 0), (2, 2))
    assert isinstance(total((1, 1), (0, 2)), NotEstimable)
