"""The platform's own calibration, on claims whose truth is known."""

from datetime import UTC, datetime

import numpy as np
import pytest

from experiments.analysis.schemas import Belief, Estimate
from experiments.metrics.schemas import Direction
from experiments.probation.schemas import ProbationOut, ProbationState, Realised
from experiments.probation.track_record import track_record
from stats.results import NotEstimable

AT = datetime(2026, 4, 1, tzinfo=UTC)


def held(claim=0.05, claim_se=0.02, got=0.05, got_se=0.02, **changes):
    """A probation with effects on the log scale."""
    low, value, high = np.expm1([claim - 1.96 * claim_se, claim, claim + 1.96 * claim_se])
    fresh = Estimate(value=np.expm1(got), ci_low=-1, ci_high=1)
    fields = {
        "id": 1, "promotion_id": 1, "experiment": "e", "name": "E", "journey": "j",
        "comparison": "e.probation-1", "metric": "m", "metric_name": "M",
        "direction": Direction.INCREASE, "holdback_share": 0.1, "started_at": AT, "verify_at": AT,
        "claimed": Belief(
            prior_sd=0.03, observed_log=claim, observed_se_log=claim_se, chance_to_win=0.97,
            expected_loss=0.0, effect_rel=value, ci_low=low, ci_high=high,
        ),
        "realised": Realised(
            effect_rel=fresh, effect_log=got, se_log=got_se, promoted=900, before=100, as_of=AT
        ),
        "state": ProbationState.UNVERIFIED, "sentence": "", "trace": [], "ended_at": AT,
    }  # fmt: skip
    return ProbationOut.model_validate(fields | changes)


def test_track_record__nothing_has_ended__is_undefined_and_counts_the_running():
    found = track_record([held(state=ProbationState.RUNNING)])
    assert found.states == {ProbationState.RUNNING: 1}
    assert found.judged == 0
    assert isinstance(found.realised, NotEstimable)
    assert isinstance(found.inside, NotEstimable)
    assert found.bands == []


def test_track_record__two_promotions__weighs_them_by_fresh_information():
    found = track_record([held(0.10, got=0.02, got_se=0.01), held(0.04, got=0.08, got_se=0.02)])
    assert found.claimed.value == pytest.approx(np.expm1((4 * 0.10 + 0.04) / 5))
    assert found.realised.value == pytest.approx(np.expm1((4 * 0.02 + 0.08) / 5))
    assert found.realised.ci_low < found.realised.value < found.realised.ci_high


def test_track_record__less_is_better__turns_both_effects():
    found = track_record([held(-0.05, got=-0.04, direction=Direction.DECREASE)])
    assert found.claimed.value > 0
    assert found.realised.value > 0
    assert found.bands[-1].realised == 1.0


def test_track_record__no_claim_or_no_fresh_figure__is_not_judged():
    nothing = NotEstimable("nobody")
    assert track_record([held(claimed=nothing), held(realised=nothing)]).judged == 0


def test_track_record__honest_claims__come_true_as_often_as_they_say(rng):
    claims, spread = rng.normal(0.02, 0.02, 3000), 0.02
    fresh = rng.normal(rng.normal(claims, spread), 0.03)
    found = track_record(
        held(claim, spread, got, 0.03) for claim, got in zip(claims, fresh, strict=True)
    )
    assert found.inside.ci_low <= 0.95 <= found.inside.ci_high
    assert sum(band.n for band in found.bands) == 3000
    for band in found.bands:
        slack = 4 * np.sqrt(band.claimed * (1 - band.claimed) / band.n)
        assert abs(band.realised - band.claimed) < slack


def test_track_record__claims_too_large__fall_outside_and_below(rng):
    fresh = rng.normal(0.0, 0.02, 300)
    found = track_record(held(0.1, 0.02, got, 0.02) for got in fresh)
    assert found.inside.ci_high < 0.5
    assert found.realised.ci_high < found.claimed.ci_low
