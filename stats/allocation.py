"""Adaptive traffic: more visitors for the arms that look better, never none for any.

Shares are recomputed once per batch (an hour, a day) from the posteriors; the data are analysed
batch by batch with `batched_effect`, because a pooled z test of adaptive data is not valid.
"""

import numpy as np

from stats.arrays import FloatArray, Numbers, Reason, finite, first_reason, undefined_is_masked
from stats.bayes_rates import UNIFORM, BetaPrior, best_rate
from stats.best_arm import BestArm
from stats.effects import ArmEstimate, EffectEstimate, pair_reason, z_effect
from stats.errors import InvalidInputError
from stats.moments import Counts


def thompson_shares(best: BestArm, *, floor: float = 0.05) -> FloatArray:
    """Give every arm a share in proportion to its chance of being the best.

    Args:
        best: chances of the arms, shape (..., n_arms), from `best_rate`, `best_low_rate` or
            `best_mean` (of negated means where lower is better).
        floor: least share of any arm; the rest is shared by chance.

    Returns:
        Shares that sum to one along the last axis; even where the chances are undefined.

    Raises:
        InvalidInputError: the floor does not leave room for all arms.

    References:
        Thompson (1933), doi:10.1093/biomet/25.3-4.285.

    >>> arms = Counts(visitors=[1000, 1000, 1000], conversions=[50, 55, 65])
    >>> print(thompson_shares(best_rate(arms), floor=0.1).round(3))
    [0.137 0.212 0.651]
    """
    return _above_floor(_chances(best), floor)


def top_two_shares(best: BestArm, *, floor: float = 0.05, leader_share: float = 0.5) -> FloatArray:
    """Give the leader its share and the rest to its challengers, to find the best arm sooner.

    Thompson sampling starves the second-best arm and so hardly learns which of the two is better;
    this draws the best arm with probability `leader_share`, else the best of the others. With two
    arms and an even leader share both arms get one half: the most that can be learned.

    Args:
        best: chances of the arms, shape (..., n_arms), as for `thompson_shares`.
        floor: least share of any arm.
        leader_share: share of the draws that go to the leader, in [0, 1].

    Returns:
        Shares that sum to one along the last axis; even where the chances are undefined.

    Raises:
        InvalidInputError: the floor or the leader's share is out of range.

    References:
        Russo (2020), Operations Research 68, doi:10.1287/opre.2019.1911.

    >>> arms = Counts(visitors=[1000, 1000, 1000], conversions=[50, 55, 65])
    >>> print(top_two_shares(best_rate(arms), floor=0.1).round(3))
    [0.191 0.366 0.443]
    """
    if not 0 <= finite("leader_share", leader_share) <= 1:
        raise InvalidInputError("leader_share", "must be between 0 and 1")
    chance = _chances(best)
    others = ~np.eye(chance.shape[-1], dtype=bool)
    rivals = np.where(others, chance[..., None, :], 0.0)
    total = rivals.sum(axis=-1, keepdims=True)
    # When the leader is certain, its challengers cannot be ranked: they share evenly.
    even = others / (chance.shape[-1] - 1)
    challenge = np.where(total > 0, rivals / np.where(total > 0, total, 1), even)
    challenger = np.sum(chance[..., None] * challenge, axis=-2)
    return _above_floor(leader_share * chance + (1 - leader_share) * challenger, floor)


def best_low_rate(arms: Counts, *, prior: BetaPrior = UNIFORM) -> BestArm:
    """Compare arms by a rate of which less is better (complaints, refunds, unsubscribes).

    Args:
        arms: counts of visitors, shape (..., n_arms).
        prior: the Beta prior of the rate.

    Returns:
        Chance that the arm has the lowest rate, and the expected excess over the lowest.

    >>> arms = Counts(visitors=[1000, 1000], conversions=[50, 80])
    >>> print(best_low_rate(arms).p_best.round(3))
    [0.997 0.003]
    """
    spared = Counts(visitors=arms.visitors, conversions=arms.visitors - arms.conversions)
    return best_rate(spared, prior=BetaPrior(alpha=prior.beta, beta=prior.alpha))


@undefined_is_masked
def batched_effect(
    control: ArmEstimate, treatment: ArmEstimate, *, alpha: Numbers = 0.05
) -> EffectEstimate:
    """Combine the effects of the batches of an adaptive phase.

    Shares depend on earlier outcomes, so that pooled means are not normal. Within a batch the
    shares are fixed and its z is normal; the sum of the z of all batches, each weighted alike, is
    too, whatever the shares were. The effect is the one whose summed z is zero.

    Args:
        control: estimates of control by batch, shape (..., n_batches).
        treatment: estimates of treatment by batch; batches without both arms are left out. The
            noise of a visitor is taken as the same in both arms of a batch, because a small arm
            cannot estimate its own.
        alpha: total two-sided error of the interval.

    Returns:
        The effect over all batches, shape (...); undefined while no batch has one.

    Raises:
        InvalidInputError: alpha is not inside (0, 1).

    References:
        Zhang, Janson and Murphy (2020), Inference for batched bandits, NeurIPS 33,
        arXiv:2002.03217.

    >>> from stats.proportions import rate_estimate
    >>> control = rate_estimate(Counts(visitors=[500, 200], conversions=[50, 20]))
    >>> treatment = rate_estimate(Counts(visitors=[500, 800], conversions=[60, 88]))
    >>> total = batched_effect(control, treatment).at()
    >>> print(f"{total.effect_abs:.4f} {total.se:.4f} {total.statistic:.3f}")
    0.0155 0.0155 1.003
    """
    noise = control.n**2 * control.variance + treatment.n**2 * treatment.variance
    se = np.sqrt(noise / (control.n * treatment.n))
    defined = (pair_reason(control, treatment) == Reason.OK) & (se > 0)
    z = np.where(defined, (treatment.value - control.value) / se, 0.0)
    precision = np.sum(np.where(defined, 1 / se, 0.0), axis=-1)
    batches = np.count_nonzero(defined, axis=-1)
    return z_effect(
        z.sum(axis=-1) / precision,
        np.sqrt(batches) / precision,
        alpha=alpha,
        reason=first_reason((batches == 0, Reason.NO_INFORMATION)),
    )


def _chances(best: BestArm) -> FloatArray:
    """Return chances that sum to one, the same for all arms where they are undefined."""
    known = np.all(best.reason == Reason.OK, axis=-1, keepdims=True)
    chance = np.where(known, np.ma.getdata(best.p_best), 1.0)
    if chance.shape[-1] < 2:
        raise InvalidInputError("best", "must compare at least two arms")
    return np.asarray(chance / chance.sum(axis=-1, keepdims=True))


def _above_floor(shares: FloatArray, floor: float) -> FloatArray:
    arms = shares.shape[-1]
    if not 0 <= finite("floor", floor) <= 1 / arms:
        raise InvalidInputError("floor", f"must be between 0 and 1/{arms}")
    return np.asarray(floor + (1 - arms * floor) * shares)
