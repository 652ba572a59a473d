"""The page that answers whether the site is sending."""

from datetime import timedelta

from experiments.accounts import service as accounts
from experiments.accounts.schemas import Scope, TokenIn
from experiments.database import transaction
from experiments.events import service
from experiments.inbox.service import bury

CALL = {"type": "track", "userId": "u", "event": "Signed Up", "messageId": "m"}


def test_events__nothing_was_ever_sent__says_how_to_begin(alice):
    page = alice.get("/events")
    assert "Nobody may send yet" in page
    assert "Nothing was refused" in page
    assert "Could not be stored" not in page


def test_events__a_sender_and_refusals__are_told_with_counts_and_reasons(
    alice, database, actor, now
):
    with transaction(database) as session:
        data = TokenIn(name="Our shop", scopes=[Scope.INGEST])
        made = accounts.create_token(session, data, actor=actor, now=now)
        told = {"source_key": f"token:{made.id}", "received_at": now - timedelta(seconds=40)}
        service.ingest(session, [CALL, "nonsense", 7, {"type": "page"}], **told)
    page = alice.get("/events")
    assert all(word in page for word in ("Our shop", "Sending", "Signed Up", "nonsense"))
    narrow = alice.get("/events?reason=userId: is required: send userId or anonymousId")
    assert "Show all" in narrow
    assert "nonsense" not in narrow


def test_events__followed__are_read_again_by_the_browser(alice):
    assert alice.client.get("/events?live=1").headers["Refresh"] == "5"
    assert "Refresh" not in alice.client.get("/events").headers


def test_events__dead_letters__are_shown_with_the_reason(alice, database, now):
    with database.begin() as connection:
        bury(connection, kind="events", error="value too long", body="<b>x</b>", at=now)
    page = alice.get("/events")
    assert "Could not be stored" in page
    assert "&lt;b&gt;x&lt;/b&gt;" in page
