"""Who is told what, shared reports, and two weeks side by side."""

import re
from datetime import timedelta

import pytest

from experiments.database import transaction
from experiments.reports import service

WEEK = timedelta(days=7)


@pytest.fixture
def week(signup, database, now):
    """The week of a written report."""
    with transaction(database) as session:
        return service.weekly(session, now=now + WEEK).week


def test_webhook__added__shows_its_secret_once(alice):
    page = alice.post(
        "/settings/delivery/endpoints",
        kind="webhook",
        name="Data",
        url="https://hooks.example.org/x",
        events=["promotion"],
    )
    found = re.search(r"whsec_[A-Za-z0-9+/=]+", page)

    assert found
    assert found[0] not in alice.get("/settings/delivery")


def test_webhook__tested__says_why_it_was_not_taken(alice):
    alice.post(
        "/settings/delivery/endpoints", kind="webhook", name="Data", url="http://127.0.0.1:9/"
    )

    assert "not a public address" in alice.post("/settings/delivery/endpoints/1/test")


def test_mail__no_server_is_set__test_says_which_setting(alice):
    page = alice.post("/settings/delivery/mail/test", recipient="dora@example.org")

    assert "DESIRELINE_SMTP_HOST" in page


def test_audience__added_and_ended__is_listed_until_then(alice):
    fields = {"recipients": "dora@example.org, erik@example.org", "weekday": 5, "hour": 17}
    page = alice.post(
        "/settings/delivery/subscriptions", audience="Board", time_zone="Europe/Madrid", **fields
    )

    assert "Fridays at 17:00, Europe/Madrid" in page
    assert "Nobody gets the report yet" in alice.post("/settings/delivery/subscriptions/1/end")


def test_audience__unknown_time_zone__is_told(alice):
    page = alice.post(
        "/settings/delivery/subscriptions",
        422,
        audience="Board",
        recipients="dora@example.org",
        weekday=1,
        hour=8,
        time_zone="Mars/Base",
    )

    assert "there is no time zone" in page


def test_share__link__is_read_without_signing_in_until_it_is_revoked(
    alice, charlie, week, clock, now
):
    clock.at = now + WEEK
    path = re.search(r"/shared/[\w-]+", alice.post(f"/reports/{week}/shares", days=7))[0]

    page = charlie.get(path)
    assert week in page
    assert 'href="/experiments' not in page
    assert charlie.client.get(f"{path}/document.pdf").data.startswith(b"%PDF")

    alice.post(f"/reports/{week}/shares/1/revoke")
    charlie.get(path, 404)


def test_share__time_is_over__is_found_no_more(alice, charlie, week, clock, now):
    clock.at = now + WEEK
    path = re.search(r"/shared/[\w-]+", alice.post(f"/reports/{week}/shares", days=7))[0]

    clock.at = now + 2 * WEEK
    charlie.get(path, 404)


def test_compare__two_weeks__are_beside_each_other(bob, week, database, now):
    with transaction(database) as session:
        later = service.weekly(session, now=now + 2 * WEEK).week

    page = bob.get(f"/reports/compare?earlier={week}&later={later}")

    assert "Visitors at each stage" in page
    assert f"What is different from week {week}" in bob.get(f"/reports/{later}")
