"""Quality checks on splits whose verdict is known."""

import pytest
from scipy import stats as scipy_stats

from experiments.analysis.data import SplitCount
from experiments.analysis.quality import judge_quality

ARMS = ("control", "bold")


def hourly(counts: dict[int, tuple[int, int]]) -> list[SplitCount]:
    """Visitors of control and treatment by hour since 1970."""
    return [
        SplitCount(phase=1, hour=hour, variant=arm, visitors=count)
        for hour, pair in counts.items()
        for arm, count in zip(ARMS, pair, strict=True)
    ]


def test_quality__adsmart_hour_15__is_found_although_the_whole_looks_fine(protocol_of, data_of):
    # The file holds 4,071 control and 4,006 exposed rows; hour 15 alone has 1,673 and 222.
    counts = dict.fromkeys(range(24), (104, 164)) | {15: (1673, 222)}
    quality = judge_quality(data_of(split=hourly(counts)), protocol_of())
    assert not quality.sample_ratio.alarm
    assert "15:00 UTC" in [item.period for item in quality.broken_periods]
    found = next(item for item in quality.broken_periods if item.period == "15:00 UTC")
    assert found.observed == {"control": 1673, "bold": 222}
    assert found.expected == {"control": 947.5, "bold": 947.5}


def test_quality__fair_hours__are_not_flagged(protocol_of, data_of, rng):
    counts = {hour: tuple(rng.binomial(400, 0.5, size=2)) for hour in range(24 * 14)}
    quality = judge_quality(data_of(split=hourly(counts)), protocol_of())
    assert quality.broken_periods == []
    assert not quality.sample_ratio.alarm


def test_quality__fair_split_watched_every_hour__rarely_alarms(protocol_of, data_of, rng):
    alarms = 0
    for _ in range(40):
        arrivals = rng.binomial(50, 0.5, size=100).cumsum()
        for looks in range(10, 101, 10):
            control = int(arrivals[looks - 1])
            split = hourly({1: (control, 50 * looks - control)})
            alarms += judge_quality(data_of(split=split), protocol_of()).sample_ratio.alarm
    assert alarms == 0


def test_quality__52_to_48__alarms_and_agrees_with_chi_square(protocol_of, data_of):
    quality = judge_quality(data_of(split=hourly({1: (10_400, 9_600)})), protocol_of())
    assert quality.sample_ratio.alarm
    expected = scipy_stats.chisquare([10_400, 9_600]).pvalue
    assert quality.sample_ratio.p_value == pytest.approx(expected)


def test_quality__karlan_list_arms__fit_their_planned_split(protocol_of, data_of):
    arms = {"control": 16_687, "one": 11_133, "two": 11_134, "three": 11_129}
    shares = {"control": 1 / 3, "one": 2 / 9, "two": 2 / 9, "three": 2 / 9}
    split = [SplitCount(phase=1, hour=None, variant=a, visitors=n) for a, n in arms.items()]
    asked = protocol_of(treatments=("one", "two", "three"), weights={1: shares})
    ratio = judge_quality(data_of(split=split), asked).sample_ratio
    assert (ratio.warning, ratio.alarm) == (False, False)


def test_quality__ramp_in_two_phases__is_judged_phase_by_phase(protocol_of, data_of):
    split = [
        SplitCount(phase=1, hour=1, variant="control", visitors=9_500),
        SplitCount(phase=1, hour=1, variant="bold", visitors=500),
        SplitCount(phase=2, hour=2, variant="control", visitors=5_000),
        SplitCount(phase=2, hour=2, variant="bold", visitors=5_000),
    ]
    weights = {1: {"control": 0.95, "bold": 0.05}, 2: {"control": 0.5, "bold": 0.5}}
    ratio = judge_quality(data_of(split=split), protocol_of(weights=weights)).sample_ratio
    assert not ratio.alarm
    assert ratio.expected == pytest.approx({"control": 14_500, "bold": 5_500})
