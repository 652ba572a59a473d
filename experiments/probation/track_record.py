"""What was claimed of promotions beside what fresh data brought: the platform's own calibration.

A claim is the shrunk effect with its interval. It also says how often a fresh, noisy figure would
come out better than before, and between which limits: that is what can be counted. Pure.
"""

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
import scipy

from experiments.analysis.schemas import Belief, Estimate
from experiments.metrics.schemas import Direction
from experiments.probation.schemas import (
    Band,
    Held,
    ProbationOut,
    ProbationState,
    Realised,
    TrackRecord,
)
from stats.arrays import FloatArray
from stats.calibration_curve import calibration_curve
from stats.effects import Z_95
from stats.moments import Counts
from stats.proportions import wilson
from stats.results import NotEstimable

JUDGED = (ProbationState.VERIFIED, ProbationState.UNVERIFIED, ProbationState.DEMOTED)
NOTHING = NotEstimable("no promotion has come to the end of its probation yet")

Claims = Sequence[tuple[float, float, float, float]]
"""Per promotion: claimed effect, its standard error, realised effect, its standard error."""


def track_record(found: Iterable[ProbationOut]) -> TrackRecord:
    """Hold every claim of an ended probation against what fresh data said.

    Args:
        found: probations; those that run or could not run to their end are only counted.

    Returns:
        Shares, bands and means; undefined until a probation has ended.
    """
    listed = list(found)
    claims = [claim for item in listed if item.state in JUDGED if (claim := _claim(item))]
    claimed, realised = _means(claims)
    return TrackRecord(
        states=dict(sorted(Counter(item.state for item in listed).items())),
        judged=len(claims),
        claimed=claimed,
        realised=realised,
        inside=_inside(claims),
        bands=_bands(claims),
    )


def _claim(item: ProbationOut) -> tuple[float, float, float, float] | None:
    """Both effects on the log scale, turned so that better is above zero."""
    said, got = item.claimed, item.realised
    if not isinstance(said, Belief) or not isinstance(got, Realised):
        return None
    sign = 1.0 if item.direction is Direction.INCREASE else -1.0
    spread = (np.log1p(said.ci_high) - np.log1p(said.ci_low)) / (2 * Z_95)
    effect = float(np.log1p(said.effect_rel))
    return sign * effect, float(spread), sign * got.effect_log, got.se_log


def _means(claims: Claims) -> tuple[Estimate | NotEstimable, Estimate | NotEstimable]:
    """The mean claimed and realised effects, each promotion weighted by its fresh information."""
    if not claims:
        return NOTHING, NOTHING
    said, said_se, got, got_se = np.array(claims).T
    weights = got_se**-2 / (got_se**-2).sum()
    return _mean(said, said_se, weights), _mean(got, got_se, weights)


def _mean(effects: FloatArray, ses: FloatArray, weights: FloatArray) -> Estimate:
    middle, se = float(weights @ effects), float(np.sqrt(weights**2 @ ses**2))
    low, value, high = np.expm1([middle - Z_95 * se, middle, middle + Z_95 * se]).tolist()
    return Estimate(value=value, ci_low=low, ci_high=high)


def _inside(claims: Claims) -> Held | NotEstimable:
    """How many fresh figures lie where the claims said 95% of them would."""
    if not claims:
        return NOTHING
    said, said_se, got, got_se = np.array(claims).T
    held = int((np.abs(got - said) <= Z_95 * np.hypot(said_se, got_se)).sum())
    share = wilson(Counts(visitors=len(claims), conversions=held))
    return Held(
        n=len(claims),
        held=held,
        share=float(share.rate),
        ci_low=float(share.ci_low),
        ci_high=float(share.ci_high),
    )


def _bands(claims: Claims) -> list[Band]:
    """By the claimed chance that a fresh figure comes out better: the share that did."""
    if not claims:
        return []
    said, said_se, got, got_se = np.array(claims).T
    chance = scipy.special.ndtr(said / np.hypot(said_se, got_se))
    curve = calibration_curve(chance, (got > 0).astype(np.float64))
    return [
        Band(
            lower=float(curve.lower[band]),
            upper=float(curve.upper[band]),
            n=int(curve.n[band]),
            claimed=float(curve.claimed[band]),
            realised=float(curve.realised[band]),
            ci_low=float(curve.ci_low[band]),
            ci_high=float(curve.ci_high[band]),
        )
        for band in np.flatnonzero(curve.n).tolist()
    ]
