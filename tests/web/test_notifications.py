"""Notifications on their page and on the home page, and over the API."""

import pytest

from experiments.accounts.schemas import Scope
from experiments.database import transaction
from experiments.notifications.schemas import Notice, Severity
from experiments.notifications.service import notify


@pytest.fixture
def told(database, signup, now):
    notice = Notice(
        key="k",
        severity=Severity.CRITICAL,
        what="Somebody changed <b>it</b>.",
        subject=("journey", signup),
    )
    with transaction(database) as session:
        notify(session, notice, now=now)


def test_home__unread_notification__is_shown_until_somebody_read_it(alice, told):
    page = alice.get("/")
    assert "Somebody changed &lt;b&gt;it&lt;/b&gt;." in page
    assert 'href="/journeys/signup"' in page

    after = alice.post("/notifications/1/read", back="home")

    assert "Somebody changed" not in after
    assert "read by admin@example.org" in alice.get("/notifications")


def test_notifications__viewer__reads_and_cannot_mark(bob, told):
    assert "Mark as read" not in bob.get("/notifications")
    bob.post("/notifications/1/read", 403)


def test_api__unread_only__leaves_out_what_was_read(client, token, told):
    headers = token(Scope.READ, Scope.MANAGE)
    listed = client.get("/api/v1/notifications?unread=1", headers=headers).json["data"]
    assert [item["severity"] for item in listed] == ["critical"]

    noted = client.post(f"/api/v1/notifications/{listed[0]['id']}/read", headers=headers)

    assert noted.json["read_by"] == "token:test"
    assert client.get("/api/v1/notifications?unread=1", headers=headers).json["data"] == []
    assert len(client.get("/api/v1/notifications", headers=headers).json["data"]) == 1
