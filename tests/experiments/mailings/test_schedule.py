"""When audiences get the report, and that they get it once."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.delivery import queries as deliveries
from experiments.errors import InvalidError, NotFoundError
from experiments.mailings import service
from experiments.mailings.schedule import due_at
from experiments.mailings.schemas import SubscriptionIn, SubscriptionOut
from experiments.reports import service as reports
from experiments.reports import weeks
from experiments.settings import Settings
from experiments.shapes import parse

ZONES = st.sampled_from(["UTC", "Europe/Madrid", "Pacific/Honolulu", "Pacific/Kiritimati"])
MAIL = {"audience": "Growth", "recipients": ["dora@example.org", "erik@example.org"]}


def subscription(weekday: int, hour: int, zone: str) -> SubscriptionOut:
    return SubscriptionOut(
        id=1,
        audience="Growth",
        journey="",
        recipients=["dora@example.org"],
        endpoint_id=None,
        weekday=weekday,
        hour=hour,
        time_zone=zone,
        created_by="person:alice",
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
        ended_at=None,
    )


@given(st.integers(1, 7), st.integers(0, 23), ZONES, st.integers(1, 52))
def test_due__any_schedule__lies_in_the_week_after_the_report(weekday, hour, zone, number):
    week = f"2026-W{number:02}"
    _, until = weeks.bounds(week)

    at = due_at(subscription(weekday, hour, zone), week)

    assert until <= at < until + timedelta(days=7, hours=1)
    local = at.astimezone(ZoneInfo(zone))
    assert local.isoweekday() == weekday


def test_due__summer_time_began__is_still_eight_in_the_morning():
    # Spain moves its clocks on Sunday 29 March 2026.
    winter, summer = (due_at(subscription(1, 8, "Europe/Madrid"), f"2026-W{n}") for n in (12, 13))

    assert (winter.astimezone(UTC).hour, summer.astimezone(UTC).hour) == (7, 6)


def test_enqueue__hour_has_come__is_written_once_for_each_recipient(session, journey, actor, now):
    service.subscribe(session, parse(SubscriptionIn, MAIL), actor=actor, now=now)
    monday = datetime(2026, 3, 9, 7, 59, tzinfo=UTC)
    reports.weekly(session, now=monday)
    settings = Settings(base_url="https://desireline.example")

    assert service.enqueue_due(session, settings, now=monday) == []
    later = monday + timedelta(minutes=1)
    assert len(service.enqueue_due(session, settings, now=later)) == 2
    assert service.enqueue_due(session, settings, now=later + timedelta(hours=1)) == []
    assert {item.recipient for item in deliveries.deliveries(session)} == set(MAIL["recipients"])


def test_enqueue__audience_came_after_the_hour__waits_for_the_next_week(
    session, journey, actor, now
):
    noon = datetime(2026, 3, 9, 12, tzinfo=UTC)
    reports.weekly(session, now=noon)
    service.subscribe(session, parse(SubscriptionIn, MAIL), actor=actor, now=noon)

    assert service.enqueue_due(session, Settings(), now=noon + timedelta(hours=1)) == []


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"recipients": []}, InvalidError),
        ({"time_zone": "../etc/passwd"}, InvalidError),
        ({"weekday": 8}, InvalidError),
        ({"recipients": ["nobody"]}, InvalidError),
        ({"recipients": [], "endpoint_id": 99}, InvalidError),
        ({"journey": "unknown"}, NotFoundError),
    ],
)
def test_subscribe__something_is_wrong__is_refused(session, actor, now, changes, error):
    def subscribe():
        data = parse(SubscriptionIn, MAIL | changes)
        service.subscribe(session, data, actor=actor, now=now)

    with pytest.raises(error):
        subscribe()
