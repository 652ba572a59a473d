"""Effects by group: found where they differ, tested once, at the end."""

import pytest
from scipy.stats import chi2

from experiments.analysis.data import Cell
from experiments.analysis.schemas import Estimate
from experiments.descriptions.counting import Division
from experiments.descriptions.segments import segmentations
from experiments.metrics.schemas import MetricKind
from stats.results import NotEstimable


def cell(variant, visitors, conversions):
    rate = conversions / visitors
    return Cell(
        variant=variant,
        phase=1,
        visitors=visitors,
        matured=visitors,
        conversions=conversions,
        means=(rate,),
        comoments=((visitors * rate * (1 - rate),),),
        observed_conversions=conversions,
        observed_total=conversions,
    )


def division(attribute="device", **rates):
    """1000 visitors per arm and value, by the rates of control and treatment."""
    cells = {
        value: {
            "control": [cell("control", 1000, round(1000 * base))],
            "bold": [cell("bold", 1000, round(1000 * other))],
        }
        for value, (base, other) in rates.items()
    }
    return Division(attribute=attribute, cells=cells)


def found(*divisions, finished=True):
    return segmentations(
        divisions,
        control="control",
        treatments=["bold"],
        kind=MetricKind.CONVERSION,
        finished=finished,
    )


def test_segmentations__effects_that_differ__are_cochrans_q():
    rates = {"desktop": (0.2, 0.2), "phone": (0.2, 0.3)}
    effects = [other - base for base, other in rates.values()]
    weights = [1000 / (base * (1 - base) + other * (1 - other)) for base, other in rates.values()]
    mean = sum(w * e for w, e in zip(weights, effects, strict=True)) / sum(weights)
    q = sum(w * (e - mean) ** 2 for w, e in zip(weights, effects, strict=True))

    (item,) = found(division(**rates))

    assert item.p_value == pytest.approx(chi2.sf(q, 1), rel=1e-2)
    phone = item.groups[1]
    assert (phone.value, phone.visitors, phone.control, phone.treatment) == (
        "phone",
        2000,
        0.2,
        0.3,
    )
    assert isinstance(phone.effect, Estimate)
    assert phone.effect.ci_low < 0.1 < phone.effect.ci_high
    assert mean < phone.expected < 0.1


def test_segmentations__two_attributes__pay_for_both():
    one = division(desktop=(0.2, 0.2), phone=(0.2, 0.25))
    alone = found(one)[0].p_value
    other = division("country", AT=(0.2, 0.22), DE=(0.2, 0.22))

    together = found(one, other)

    assert together[0].p_value == pytest.approx(2 * alone)
    assert together[1].p_value == pytest.approx(1)


def test_segmentations__before_the_end__have_no_p_value():
    (item,) = found(division(desktop=(0.2, 0.2), phone=(0.2, 0.3)), finished=False)

    assert isinstance(item.p_value, NotEstimable)


def test_segmentations__small_group__has_counts_and_no_effect():
    small = {"control": [cell("control", 40, 8)], "bold": [cell("bold", 40, 12)]}
    (item,) = found(Division(attribute="device", cells={"tablet": small}))

    assert item.groups[0].control == 0.2
    assert isinstance(item.groups[0].effect, NotEstimable)
    assert isinstance(item.p_value, NotEstimable)
