"""The rule of a probation on readouts that the real engine made of given counts."""

from datetime import UTC, datetime, timedelta

import pytest

from experiments.analysis.data import Cell, ExperimentData, SplitCount
from experiments.analysis.engine import read
from experiments.analysis.protocol import Protocol, Question
from experiments.analysis.schemas import Role
from experiments.decisions.retrial import Ending, realised, rule
from experiments.decisions.schemas import Ruling
from experiments.design.plans import Plan
from experiments.metrics.schemas import Direction, EventRule, MetricKind, MetricOut
from experiments.probation.schemas import BEFORE, PROMOTED, Realised
from stats.moments import Counts
from stats.proportions import unpooled_z
from stats.results import NotEstimable

AT = datetime(2026, 4, 1, tzinfo=UTC)
PLAN = Plan(alpha=0.05, maximum_days=28)


def cell(variant, visitors, conversions):
    rate = conversions / visitors if visitors else 0.0
    return Cell(
        variant=variant,
        phase=1,
        visitors=visitors,
        matured=visitors,
        conversions=conversions,
        means=(rate,),
        comoments=((visitors * rate * (1 - rate),),),
        observed_conversions=conversions,
        observed_total=float(conversions),
    )


def look(before, promoted, *, finished=False, direction=Direction.INCREASE):
    metric = MetricOut(
        id=1, key="m", name="Sales", kind=MetricKind.CONVERSION, rule=EventRule(event="sale"),
        value_property="", denominator=None, window_hours=24, direction=direction,
        winsorise_above=None, unit="", description="", created_at=AT,
    )  # fmt: skip
    protocol = Protocol(
        experiment="probation",
        as_of=AT + timedelta(days=29),
        control=BEFORE,
        treatments=(PROMOTED,),
        weights={1: {BEFORE: 0.1, PROMOTED: 0.9}},
        plan=PLAN,
        questions=(Question(metric=metric, roles=(Role.PRIMARY,)),),
        calendar_fraction=1.0 if finished else 0.5,
        matured_days=28.0,
        finished=finished,
    )
    cells = [cell(BEFORE, *before), cell(PROMOTED, *promoted)]
    split = [
        SplitCount(phase=1, hour=None, variant=item.variant, visitors=item.visitors)
        for item in cells
        if item.visitors
    ]
    data = ExperimentData(cells={"m": cells}, split=split, contaminated=0, newest_at=AT)
    return read(data, protocol, earlier={})


def test_rule__clearly_worse__demotes_at_any_look():
    found = rule(look((2000, 300), (18000, 1800)), PLAN)
    assert found.ending is Ending.DEMOTE
    assert "taken back" in found.sentence


def test_rule__clearly_worse_where_less_is_better__holds():
    readout = look((2000, 300), (18000, 1800), finished=True, direction=Direction.DECREASE)
    assert rule(readout, PLAN).ending is Ending.VERIFY


def test_rule__worse_by_chance__waits_and_then_stays_unverified():
    assert rule(look((2000, 210), (18000, 1800)), PLAN).ending is Ending.WAIT
    last = rule(look((2000, 210), (18000, 1800), finished=True), PLAN)
    assert last.ending is Ending.LEAVE
    assert "unverified" in last.sentence


def test_rule__better_before_the_end__waits_and_shows_no_test():
    found = rule(look((2000, 160), (18000, 1800)), PLAN)
    assert found.ending is Ending.WAIT
    assert isinstance(found.trace[-1].figure, NotEstimable)


@pytest.mark.parametrize("conversions", range(150, 200, 7))
def test_rule__at_the_end__verifies_exactly_when_a_one_sided_z_test_does(conversions):
    readout = look((2000, conversions), (18000, 1800), finished=True)
    test = unpooled_z(
        Counts(visitors=2000, conversions=conversions), Counts(visitors=18000, conversions=1800)
    )
    significant = test.effect_abs > 0 and test.p_two_sided / 2 <= 0.05
    assert (rule(readout, PLAN).ending is Ending.VERIFY) is bool(significant)


def test_rule__broken_split__takes_nothing_back_and_verifies_nothing():
    for finished, ending in ((False, Ending.WAIT), (True, Ending.LEAVE)):
        found = rule(look((5000, 900), (15000, 1500), finished=finished), PLAN)
        assert found.ending is ending
        assert "cannot be trusted" in found.sentence


def test_rule__a_handful_of_conversions__takes_nothing_back():
    found = rule(look((40, 12), (360, 5)), PLAN)
    enough = next(item for item in found.trace if item.condition == "enough conversions")
    assert enough.ruling is Ruling.WAITING
    assert not any(
        item.condition == "not worse than before" and item.ruling is Ruling.FAILED
        for item in found.trace
    )


def test_realised__enough_visitors__is_new_against_old_with_its_interval():
    found = realised(look((2000, 200), (18000, 1980), finished=True))
    assert isinstance(found, Realised)
    assert found.effect_rel.value == pytest.approx(0.1)
    assert found.effect_rel.ci_low < 0.1 < found.effect_rel.ci_high
    assert (found.before, found.promoted) == (2000, 18000)


def test_realised__nobody__says_why():
    assert isinstance(realised(look((0, 0), (0, 0))), NotEstimable)


def test_realised__first_conversions_only__is_too_early_to_tell():
    early = look((40, 3), (400, 41))
    found = realised(early)
    assert isinstance(found, NotEstimable)
    assert found.reason.startswith("too early to tell: 3 conversions in the smaller arm of 30")
    assert "%" not in rule(early, PLAN).sentence


def test_realised__few_conversions_at_the_end__is_told_with_its_wide_range():
    found = realised(look((40, 3), (400, 41), finished=True))
    assert isinstance(found, Realised)
    assert found.effect_rel.ci_low < 0 < found.effect_rel.ci_high
