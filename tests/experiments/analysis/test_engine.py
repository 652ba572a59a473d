"""Readouts against published figures, statsmodels and SciPy."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import stats as scipy_stats
from statsmodels.stats.contingency_tables import StratifiedTable

from experiments.analysis.engine import looks_of, read
from experiments.analysis.schemas import Readout, Role
from experiments.analysis.sequential import Hypothesis, history
from stats.group_sequential import replay
from stats.results import NotEstimable

same_fixtures = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def test_read__cookie_cats__gives_the_published_figures(protocol_of, data_of, question, rate_cell):
    arms = {"control": 44_700, "bold": 45_489}
    asked = (question("day-1"), question("day-7", Role.SECONDARY))
    data = data_of(
        day_1=[rate_cell("control", 44_700, 20_034), rate_cell("bold", 45_489, 20_119)],
        day_7=[rate_cell("control", 44_700, 8_502), rate_cell("bold", 45_489, 8_279)],
    )
    readout = read(data, protocol_of(questions=asked), earlier={})
    first, seventh = (readout.metric(key).comparison("bold").fixed for key in ("day-1", "day-7"))
    assert first.p_two_sided == pytest.approx(0.0744, abs=5e-5)
    assert seventh.p_two_sided == pytest.approx(0.0016, abs=5e-5)
    assert seventh.effect_abs.value == pytest.approx(-0.0082, abs=5e-5)
    assert (seventh.effect_abs.ci_low, seventh.effect_abs.ci_high) == pytest.approx(
        (-0.0133, -0.0031), abs=5e-5
    )
    ratio = readout.quality.sample_ratio
    assert ratio.observed == arms
    assert ratio.p_value == pytest.approx(0.0086, abs=5e-5)
    assert (ratio.warning, ratio.alarm) == (True, False)


def test_read__before_the_horizon_ends__shows_no_fixed_p_value(protocol_of, data_of, rate_cell):
    data = data_of(signed_up=[rate_cell("control", 1000, 100), rate_cell("bold", 1000, 160)])
    asked = protocol_of(calendar_fraction=0.5, finished=False)
    comparison = read(data, asked, earlier={}).primary.comparison("bold")
    assert isinstance(comparison.fixed, NotEstimable)
    assert comparison.effect_abs.ci_low < 0.06 < comparison.effect_abs.ci_high


def test_read__means__agree_with_welch(protocol_of, data_of, question, mean_cell):
    asked = protocol_of(questions=(question("spend", kind="count"),))
    data = data_of(spend=[mean_cell("control", 400, 2.0, 8.0), mean_cell("bold", 380, 2.5, 9.0)])
    fixed = read(data, asked, earlier={}).primary.comparison("bold").fixed
    expected = scipy_stats.ttest_ind_from_stats(2.5, 9.0, 380, 2.0, 8.0, 400, equal_var=False)
    assert fixed.p_two_sided == pytest.approx(expected.pvalue)


def test_read__two_phases__combines_as_mantel_and_haenszel_and_never_pools(
    protocol_of, data_of, rate_cell
):
    # Within each phase the arms are alike; pooled, the treatment would look far better.
    cells = [
        rate_cell("control", 1900, 95, phase=1),
        rate_cell("bold", 100, 5, phase=1),
        rate_cell("control", 500, 100, phase=2),
        rate_cell("bold", 500, 110, phase=2),
    ]
    weights = {1: {"control": 0.95, "bold": 0.05}, 2: {"control": 0.5, "bold": 0.5}}
    readout = read(data_of(signed_up=cells), protocol_of(weights=weights), earlier={})
    # Greenland and Robins: weights 1900 * 100 / 2000 and 500 * 500 / 1000.
    expected = (95 * 0.0 + 250 * 0.02) / (95 + 250)
    comparison = readout.primary.comparison("bold")
    assert comparison.effect_abs.value == pytest.approx(expected)
    tables = [np.array([[5, 95], [95, 1805]]), np.array([[110, 390], [100, 400]])]
    cochran = StratifiedTable(tables).test_null_odds(correction=False).pvalue
    assert comparison.fixed.p_two_sided == pytest.approx(cochran, rel=0.02)
    assert readout.quality.sample_ratio.alarm is False


def test_read__dead_variant__is_harm_long_before_the_horizon(protocol_of, data_of, rate_cell):
    data = data_of(signed_up=[rate_cell("control", 1000, 50), rate_cell("bold", 1000, 0)])
    asked = protocol_of(calendar_fraction=0.05, finished=False)
    comparison = read(data, asked, earlier={}).primary.comparison("bold")
    assert comparison.harm.harmful
    assert isinstance(comparison.effect_rel, NotEstimable)


def test_read__fewer_complaints__are_no_harm_and_count_as_better(
    protocol_of, data_of, question, rate_cell
):
    asked = protocol_of(questions=(question("complained", direction="decrease"),))
    data = data_of(complained=[rate_cell("control", 2000, 300), rate_cell("bold", 2000, 200)])
    comparison = read(data, asked, earlier={}).primary.comparison("bold")
    assert not comparison.harm.harmful
    assert comparison.test.passed
    assert comparison.test.z > 0
    assert comparison.belief.chance_to_win > 0.9


@pytest.mark.parametrize(
    ("direction", "conversions", "passed"),
    [("increase", 5_000, True), ("increase", 4_800, False), ("decrease", 5_000, True)],
)
def test_read__guardrail__passes_only_when_shown_to_be_inside_its_margin(
    protocol_of, data_of, question, rate_cell, direction, conversions, passed
):
    guarded = question("kept", Role.GUARDRAIL, margin=0.05, direction=direction)
    asked = protocol_of(questions=(question("signed-up"), guarded))
    data = data_of(
        signed_up=[rate_cell("control", 10_000, 1000), rate_cell("bold", 10_000, 1100)],
        kept=[rate_cell("control", 10_000, 5_000), rate_cell("bold", 10_000, conversions)],
    )
    assert read(data, asked, earlier={}).guardrails[0].comparison("bold").test.passed is passed


def test_read__three_variants__share_the_error(protocol_of, data_of, rate_cell):
    arms = ("control", "bold", "calm", "wild")
    asked = protocol_of(
        treatments=arms[1:],
        weights={1: dict.fromkeys(arms, 0.25)},
    )
    data = data_of(signed_up=[rate_cell(arm, 1000, 100 + 5 * n) for n, arm in enumerate(arms)])
    readout = read(data, asked, earlier={})
    for item in readout.primary.comparisons:
        assert item.test.bound == pytest.approx(scipy_stats.norm.isf(0.045 / 3), abs=1e-6)


def test_read__earlier_looks__make_the_bound_of_the_whole_sequence(protocol_of, data_of, rate_cell):
    data = data_of(signed_up=[rate_cell("control", 1000, 100), rate_cell("bold", 1000, 120)])
    first = read(data, protocol_of(calendar_fraction=0.5, finished=False), earlier={})
    more = data_of(signed_up=[rate_cell("control", 2000, 200), rate_cell("bold", 2000, 240)])
    second = read(more, protocol_of(), earlier=history(looks_of(first)))
    looks = [(0.5, first.primary.comparison("bold").test.information)]
    looks.append((1.0, second.primary.comparison("bold").test.information))
    bounds, _ = replay(looks, alpha=0.045)
    assert second.primary.comparison("bold").test.bound == pytest.approx(bounds[-1])
    assert bounds[-1] > scipy_stats.norm.isf(0.045)


def test_hypothesis__plan_of_five_percent__reserves_half_a_percent():
    tested = Hypothesis(alpha=0.05, comparisons=1, calendar_fraction=0.5, earlier=[], n_star=10_000)
    assert (tested.reserve, tested.spendable) == pytest.approx((0.005, 0.045))


def test_read__nobody_exposed__says_so_everywhere_and_survives_json(protocol_of, data_of):
    asked = protocol_of(calendar_fraction=0.0, finished=False)
    readout = read(data_of(), asked, earlier={})
    comparison = readout.primary.comparison("bold")
    assert isinstance(comparison.effect_abs, NotEstimable)
    assert isinstance(comparison.test, NotEstimable)
    assert isinstance(readout.primary.arms[0].figure, NotEstimable)
    assert isinstance(readout.quality.sample_ratio.p_value, NotEstimable)
    assert Readout.model_validate_json(readout.model_dump_json()) == readout


@given(
    visitors=st.integers(2, 5_000),
    control=st.floats(0, 1),
    treatment=st.floats(0, 1),
)
@same_fixtures
def test_read__whatever_the_counts__nothing_undefined_becomes_a_number(
    protocol_of, data_of, rate_cell, visitors, control, treatment
):
    cells = [
        rate_cell("control", visitors, round(visitors * control)),
        rate_cell("bold", visitors, round(visitors * treatment)),
    ]
    readout = read(data_of(signed_up=cells), protocol_of(), earlier={})
    text = readout.model_dump_json()
    assert "NaN" not in text
    assert "Infinity" not in text
    assert Readout.model_validate_json(text) == readout


@given(control=st.integers(1, 499), treatment=st.integers(1, 499))
@same_fixtures
def test_read__arms_exchanged__effects_change_their_sign(
    protocol_of, data_of, rate_cell, control, treatment
):
    def effect(first: int, second: int) -> float:
        cells = [rate_cell("control", 500, first), rate_cell("bold", 500, second)]
        readout = read(data_of(signed_up=cells), protocol_of(), earlier={})
        return readout.primary.comparison("bold").effect_abs.value

    assert effect(control, treatment) == pytest.approx(-effect(treatment, control))
