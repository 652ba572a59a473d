"""Time to convert and groups of visitors on the page: drawn, told, and the same in the tables."""

from datetime import UTC, datetime
from xml.etree import ElementTree

import pytest

from experiments.analysis.schemas import Estimate
from experiments.descriptions.schemas import (
    Course,
    DescriptionOut,
    Group,
    Segmentation,
    TimeToConvert,
)
from experiments.metrics.schemas import MetricKind
from stats.results import NotEstimable
from web.experiment_courses import converted, converted_plot, group_plots, groups
from web.plots import svg

NOBODY = NotEstimable("nobody")


def course(variant, *shares):
    return Course(
        variant=variant,
        visitors=100,
        converted=list(shares),
        low=[None if share is None else share - 0.05 for share in shares],
        high=[None if share is None else share + 0.05 for share in shares],
        half_hours=60.0 if shares[-1] else NOBODY,
        projected=NOBODY,
    )


@pytest.fixture
def described():
    effect = Estimate(value=0.02, ci_low=-0.01, ci_high=0.05)
    return DescriptionOut(
        experiment="headline",
        look=3,
        as_of=datetime(2026, 3, 2, tzinfo=UTC),
        metric="signed-up",
        window_hours=120,
        time_to_convert=TimeToConvert(
            hours=[60, 120], courses=[course("control", 0.1, 0.2), course("bold", 0.2, None)]
        ),
        segments=[
            Segmentation(
                attribute="device",
                variant="bold",
                groups=[
                    Group(
                        value="phone",
                        visitors=900,
                        control=0.2,
                        treatment=0.22,
                        effect=effect,
                        expected=0.01,
                    ),
                    Group(value="tablet", visitors=9, control=0.2, treatment=NOBODY, effect=NOBODY),
                ],
                p_value=0.4,
            )
        ],
    )


CALLED = {"control": "Plain", "bold": "Bold"}


def test_converted__hours_nobody_was_followed__are_empty(described):
    table = converted(described, called=CALLED)
    rows = table.rows

    assert rows[0] == pytest.approx((60, 0.1, 0.05, 0.15, 0.2, 0.15, 0.25))
    assert rows[1][4:] == (None, None, None)
    assert [column.label for column in table.columns[1::3]] == ["Plain", "Bold"]
    assert table.as_csv().startswith("hours,control,")


def test_converted_plot__five_days__is_drawn_in_days_and_told(described):
    plot = converted_plot(described, called=CALLED)

    assert plot is not None
    assert "Plain 20.0% at the end, half of them within 2 days" in plot.told
    drawing = svg(plot, "dark")
    assert "Days since the exposure" in drawing
    assert ElementTree.fromstring(drawing).tag.endswith("svg")


def test_groups__one_too_small__is_a_row_and_no_point(described):
    assert groups(described, MetricKind.CONVERSION).rows == [
        ("device", "phone", "bold", 900, 0.2, 0.22, 0.02, -0.01, 0.05, 0.01, 0.4),
        ("device", "tablet", "bold", 9, 0.2, None, None, None, None, None, 0.4),
    ]
    (plot,) = group_plots(described, MetricKind.CONVERSION, called=CALLED)
    assert plot.title == "Bold, by device"
    assert "phone +2.00 points" in plot.told
    assert "tablet" not in svg(plot, "light")
