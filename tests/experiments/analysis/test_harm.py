"""Harm that the count of converters does not show, or shows late, is found on the metric itself."""

import numpy as np
import pytest

from experiments.analysis.engine import read
from experiments.analysis.harm import HARM_LOG_E
from experiments.analysis.schemas import Role
from experiments.design.plans import Plan
from experiments.metrics.schemas import MetricKind
from stats.results import NotEstimable

EARLY = {"calendar_fraction": 0.4, "finished": False}


def harm_of(readout, key="signed-up"):
    return readout.metric(key).comparison("bold").harm


def test_harm__half_of_all_convert__is_found_before_the_count_of_converters_shows_it(
    protocol_of, data_of, rate_cell
):
    cells = [rate_cell("control", 195, 145), rate_cell("bold", 202, 107)]
    asked = protocol_of(plan=Plan(visitors_per_week=250, maximum_days=28), **EARLY)
    found = harm_of(read(data_of(signed_up=cells), asked, earlier={}))
    assert found.log_e_value < HARM_LOG_E
    assert found.highest < 0
    assert found.harmful


def test_harm__smaller_orders_of_as_many__is_found(protocol_of, data_of, question, mean_cell):
    asked = protocol_of(questions=(question("revenue", kind=MetricKind.SUM),), **EARLY)
    cells = [mean_cell("control", 2_000, 10.0, 8.0), mean_cell("bold", 2_000, 8.0, 8.0)]
    found = harm_of(read(data_of(revenue=cells), asked, earlier={}), "revenue")
    assert isinstance(found.log_e_value, NotEstimable)
    assert found.harmful


@pytest.mark.parametrize(("bold", "harmful"), [(49_300, False), (45_000, True)])
def test_harm__guardrail__counts_from_its_margin(
    protocol_of, data_of, question, rate_cell, bold, harmful
):
    asked = protocol_of(
        questions=(question("signed-up"), question("kept", Role.GUARDRAIL, margin=0.05)), **EARLY
    )
    data = data_of(
        signed_up=[rate_cell("control", 1_000, 100), rate_cell("bold", 1_000, 100)],
        kept=[rate_cell("control", 100_000, 50_000), rate_cell("bold", 100_000, bold)],
    )
    found = harm_of(read(data, asked, earlier={}), "kept")
    assert (found.highest < 0) is harmful
    assert found.harmful is harmful


def test_harm__few_conversions__leaves_it_to_the_exact_test(protocol_of, data_of, rate_cell):
    cells = [rate_cell("control", 200, 40), rate_cell("bold", 200, 20)]
    found = harm_of(read(data_of(signed_up=cells), protocol_of(**EARLY), earlier={}))
    assert "20 of 30 conversions" in str(found.highest)
    assert not found.harmful


def test_harm__no_effect_looked_at_again_and_again__is_hardly_ever_found(
    protocol_of, data_of, rate_cell
):
    rng = np.random.default_rng(20260302)
    for _ in range(12):
        arms = np.cumsum(rng.binomial(100, 0.5, size=(2, 10)), axis=1)
        for look, (control, bold) in enumerate(arms.T.tolist(), start=1):
            cells = [rate_cell("control", 100 * look, control), rate_cell("bold", 100 * look, bold)]
            asked = protocol_of(calendar_fraction=look / 10, finished=look == 10)
            assert not harm_of(read(data_of(signed_up=cells), asked, earlier={})).harmful
