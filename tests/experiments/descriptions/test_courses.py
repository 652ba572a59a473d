"""Curves and projections of the arms, beside those of statsmodels and by hand."""

import numpy as np
import pytest
from statsmodels.duration.survfunc import SurvfuncRight

from experiments.descriptions.counting import Followed
from experiments.descriptions.courses import time_to_convert
from experiments.moments.following import STEPS
from stats.results import NotEstimable

WINDOW = 60
"""A window of 60 hours has steps of one hour."""


def left(variant, step, visitors, *, converted=False, phase=1):
    return Followed(variant=variant, phase=phase, step=step, converted=converted, visitors=visitors)


def courses(counts, variants=("control", "bold")):
    found = time_to_convert(counts, variants, window_hours=WINDOW)
    return {course.variant: course for course in found.courses}


def test_time_to_convert__young_and_old_visitors__is_the_kaplan_meier_curve():
    counts = [
        left("control", 5, 20, converted=True),
        left("control", 9, 10, converted=True),
        left("control", 30, 40),
        left("control", STEPS, 30),
    ]
    times = np.repeat([5, 9, 30, STEPS], [20, 10, 40, 30])
    oracle = SurvfuncRight(times, np.repeat([1, 1, 0, 0], [20, 10, 40, 30]))

    found = courses(counts, ["control"])["control"]

    assert found.visitors == 100
    assert [found.converted[4], found.converted[8]] == pytest.approx(1 - oracle.surv_prob[:2])
    assert found.half_hours == 5


def test_time_to_convert__half_are_too_young__projects_the_rate_of_the_old():
    old = [left("control", 10, 40, converted=True), left("control", STEPS, 60)]
    young = [left("control", 5, 100)]

    found = courses(old + young, ["control"])["control"].projected

    assert not isinstance(found, NotEstimable)
    assert found.value == pytest.approx(0.4)
    assert found.ci_low < 0.4 < found.ci_high


def test_time_to_convert__phases_of_other_sizes__give_each_arm_the_same_mix():
    counts = []
    for phase, rate, sizes in ((1, 0.5, (100, 100)), (2, 0.1, (300, 100))):
        for variant, size in zip(("control", "bold"), sizes, strict=True):
            hits = round(size * rate)
            counts.append(left(variant, 10, hits, converted=True, phase=phase))
            counts.append(left(variant, STEPS, size - hits, phase=phase))

    found = courses(counts)

    # 200 of 600 visitors came in the first phase, in each arm by the same rate.
    assert found["control"].converted[-1] == pytest.approx((200 * 0.5 + 400 * 0.1) / 600, abs=1e-6)
    assert found["bold"].converted[-1] == found["control"].converted[-1]


def test_time_to_convert__phase_that_began_yesterday__waits_until_it_is_followed_through():
    counts = [
        left("control", 10, 10, converted=True),
        left("control", STEPS, 10),
        left("control", 3, 500, phase=2),
    ]

    assert courses(counts, ["control"])["control"].converted[-1] == pytest.approx(0.5)


def test_time_to_convert__nobody_through_the_window__says_so_instead_of_projecting():
    found = courses([left("control", 2, 5, converted=True), left("control", 7, 5)])

    assert found["control"].converted[5:8] == [0.5, 0.5, None]
    assert isinstance(found["control"].projected, NotEstimable)
    assert isinstance(found["control"].half_hours, NotEstimable)
    assert set(found["bold"].converted) == {None}
