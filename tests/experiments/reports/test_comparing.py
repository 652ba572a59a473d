"""What is different between two reports, and what readers of one journey get."""

from datetime import UTC, datetime, timedelta

from experiments.design.schemas import Status
from experiments.journeys.schemas import StageKind
from experiments.reports.audience import only
from experiments.reports.comparing import compare
from experiments.reports.schemas import Body, FunnelStage, JourneyFunnel, Waiting

WEEK = timedelta(days=7)
SINCE = datetime(2026, 3, 2, tzinfo=UTC)


def body(number: int, *, visits: tuple[int, int] = (0, 0), waiting: tuple[str, ...] = ()) -> Body:
    stage = FunnelStage(
        key="visit", name="Visit", kind=StageKind.PROGRESS, visitors=visits[0], before=visits[1]
    )
    since = SINCE + number * WEEK
    return Body(
        week=f"2026-W{10 + number}",
        since=since,
        until=since + WEEK,
        as_of=since + WEEK,
        headline="",
        outcomes={},
        changes=[],
        promoted=[],
        harmful=[],
        nothing_to_conclude=[],
        judgements_left_out=0,
        taken_back=[],
        waiting=[
            Waiting(experiment=key, name=key, journey=key, state=Status.RUNNING, needs="Time.")
            for key in waiting
        ],
        waiting_left_out=0,
        alarms=[],
        alarms_left_out=0,
        funnels=[JourneyFunnel(journey=key, name=key, stages=[stage]) for key in ("shop", "club")],
    )


def test_compare__events_came_late__tells_how_the_same_week_is_counted_now():
    found = compare(body(0, visits=(100, 0)), body(1, visits=(120, 104)))

    assert {(item.reported, item.counted) for item in found.recounts} == {(100, 104)}
    assert {(item.earlier, item.later) for item in found.stages} == {(100, 120)}


def test_compare__weeks_do_not_meet__counts_nothing_twice():
    found = compare(body(0, visits=(100, 0)), body(2, visits=(120, 104)))

    assert found.recounts == []


def test_compare__tests_began_and_go_on__tells_both():
    found = compare(body(0, waiting=("old",)), body(1, waiting=("new", "old")))

    assert (found.began, found.still) == (["new"], 1)


def test_only__readers_of_one_journey__get_its_part():
    whole = body(0, waiting=("shop", "club"))

    part = only(whole, "shop")

    assert [item.journey for item in part.waiting] == ["shop"]
    assert [item.journey for item in part.funnels] == ["shop"]
    assert only(whole, "") == whole
