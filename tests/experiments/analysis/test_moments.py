"""Sums in SQL, against outcomes counted by hand, on both databases."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from experiments.analysis.data import Cell
from experiments.analysis.service import gather
from experiments.metrics.schemas import MetricIn, MetricKind

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def measure(**fields: Any) -> MetricIn:
    return MetricIn(
        **{
            "key": "m",
            "name": "M",
            "rule": {"event": "Order"},
            "window_hours": 24,
            **fields,
        }
    )


@pytest.fixture
def cells_of(
    start_trial: Callable[..., Any], live_cells: Callable[..., list[Cell]], act: type
) -> Callable[..., list[Cell]]:
    """The cells of one metric after visitors of the control did these things."""

    def cells(measured: MetricIn, people: list[list[Any]], *, hours: float = 48) -> list[Cell]:
        trial = start_trial(more_metrics=[measured])
        for acts in people:
            trial.expose("control", acts=acts)
        as_of = trial.started_at + hours * HOUR
        return live_cells(trial, measured.key, as_of=as_of)

    return cells


def test_conversion__several_events_of_one_visitor__counts_the_visitor_once(cells_of, act):
    (cell,) = cells_of(measure(), [[act("Order", 1), act("Order", 2)], [act("Other")], []])
    assert (cell.visitors, cell.matured, cell.conversions) == (3, 3, 1)
    assert cell.means == pytest.approx((1 / 3,))


def test_conversion__event_before_exposure_or_after_the_window__does_not_count(cells_of, act):
    people = [[act("Order", -0.001)], [act("Order", 0)], [act("Order", 23.99)], [act("Order", 24)]]
    (cell,) = cells_of(measure(), people)
    assert cell.conversions == 2


def test_conversion__event_received_after_the_look__does_not_count_yet(cells_of, act):
    people = [[act("Order", 1, late_by_hours=46.9)], [act("Order", 1, late_by_hours=47.1)]]
    (cell,) = cells_of(measure(), people)
    assert cell.conversions == 1


def test_conversion__window_not_over__is_observed_but_not_matured(cells_of, act):
    (cell,) = cells_of(measure(), [[act("Order", 1)], []], hours=23)
    assert (cell.visitors, cell.matured, cell.conversions) == (2, 0, 0)
    assert cell.observed_conversions == 1


def test_count__events_per_visitor__are_added(cells_of, act):
    measured = measure(kind=MetricKind.COUNT)
    (cell,) = cells_of(measured, [[act("Order", 1), act("Order", 2)], [act("Order", 1)], []])
    assert cell.means == pytest.approx((1.0,))
    assert cell.comoments[0][0] == pytest.approx(2.0)


def test_sum__text_and_missing_amounts__are_not_numbers(cells_of, act):
    people = [
        [act("Order", 1, {"revenue": 10}), act("Order", 2, {"revenue": 2.5})],
        [act("Order", 1, {"revenue": "99"}), act("Order", 2, {"revenue": True})],
        [act("Order", 1)],
    ]
    measured = measure(kind=MetricKind.SUM, value_property="revenue")
    (cell,) = cells_of(measured, people)
    assert cell.means == pytest.approx((12.5 / 3,))
    assert cell.conversions == 1


def test_sum__cap__limits_the_visitor_not_the_event(cells_of, act):
    people = [[act("Order", 1, {"revenue": 60}), act("Order", 2, {"revenue": 60})]]
    measured = measure(kind=MetricKind.SUM, value_property="revenue", winsorise_above=100)
    (cell,) = cells_of(measured, people)
    assert cell.means == (100.0,)


def test_ratio__totals_squares_and_cross_products__are_of_visitors(cells_of, act):
    people = [
        [act("Order", 1, {"revenue": 6}), act("Visit", 1), act("Visit", 2)],
        [act("Visit", 1)],
        [act("Order", 1, {"revenue": 3}), act("Visit", 1), act("Visit", 2), act("Visit", 3)],
    ]
    measured = measure(
        kind=MetricKind.RATIO, value_property="revenue", denominator={"event": "Visit"}
    )
    (cell,) = cells_of(measured, people)
    assert cell.means == pytest.approx((3.0, 2.0))
    # Deviations (3, -3, 0) and (0, -1, 1).
    assert cell.comoments[0] == pytest.approx((18.0, 3.0))
    assert cell.comoments[1] == pytest.approx((3.0, 2.0))


def test_condition__on_properties__counts_only_what_matches(cells_of, act):
    people = [
        [act("Order", 1, {"plan": "pro", "revenue": 5})],
        [act("Order", 1, {"plan": "free", "revenue": 7})],
    ]
    measured = measure(
        kind=MetricKind.SUM,
        value_property="revenue",
        rule={"event": "Order", "where": {"plan": "pro"}},
    )
    (cell,) = cells_of(measured, people)
    assert cell.means == (2.5,)


def test_condition__that_nothing_matches__gives_zeros_not_nothing(cells_of, act):
    measured = measure(rule={"event": "Order", "where": {"plan": "pro"}})
    (cell,) = cells_of(measured, [[act("Order", 1)]])
    assert (cell.matured, cell.conversions) == (1, 0)


def test_split__visitors_of_two_hours_and_arms__are_counted_apart(start_trial):
    trial = start_trial()
    trial.expose("control", 2)
    trial.expose("bold", 3)
    trial.expose("bold", 1, at=trial.started_at + HOUR, contaminated=True)
    ((_, data),) = gather(trial.session, [trial.key], now=trial.started_at + DAY)
    first = int(trial.started_at.timestamp()) // 3600
    assert [(row.hour, row.variant, row.visitors) for row in data.split] == [
        (first, "bold", 3),
        (first, "control", 2),
        (first + 1, "bold", 1),
    ]
    assert data.contaminated == 1
