"""Realised calibration of claims, by simulation and by hand."""

import numpy as np
import pytest

from stats.arrays import Reason
from stats.calibration_curve import DEFAULT_EDGES, brier_score, calibration_curve
from stats.errors import InvalidInputError
from stats.results import NotEstimable


def test_curve__honest_claims__are_covered_in_every_band(rng):
    claimed = rng.beta(6, 1, 50_000)
    curve = calibration_curve(claimed, rng.random(claimed.size) < claimed)
    assert curve.n.sum() == claimed.size
    np.testing.assert_allclose(curve.realised, curve.claimed, atol=0.03)


def test_curve__boasting_claims__are_shown(rng):
    claimed = rng.uniform(0.9, 0.95, 2000)
    band = calibration_curve(claimed, rng.random(2000) < 0.7).at(DEFAULT_EDGES.index(0.9))
    assert band.claimed == pytest.approx(0.925, abs=0.003)
    assert band.ci_low < 0.7 < band.ci_high < 0.75


def test_curve__edges__belong_to_the_band_above_and_the_last_to_itself():
    curve = calibration_curve([0.0, 0.5, 0.95, 1.0], [0, 1, 1, 1], edges=[0.5, 0.95, 1.0])
    assert np.ma.getdata(curve.n).tolist() == [1, 2]


def test_curve__empty_band__is_undefined():
    curve = calibration_curve([0.2], [1], edges=[0, 0.5, 1])
    assert curve.at(1).reason == Reason.NO_UNITS.words


def test_brier__coin_and_oracle__have_known_scores():
    assert brier_score([0.5, 0.5], [0, 1]) == 0.25
    assert brier_score([0.0, 1.0], [0, 1]) == 0.0
    assert isinstance(brier_score([], []), NotEstimable)


@pytest.mark.parametrize(
    ("claimed", "came_true", "edges"),
    [([1.2], [1], [0, 1]), ([0.5], [0.5], [0, 1]), ([0.5], [1, 0], [0, 1]), ([0.5], [1], [1, 0])],
)
def test_curve__impossible_claims__are_refused(claimed, came_true, edges):
    with pytest.raises(InvalidInputError):
        calibration_curve(claimed, came_true, edges=edges)
