"""First steps: from nothing to a site that sends, without JavaScript."""

import html
import re

from experiments.database import transaction
from experiments.events import service

CALL = {"type": "track", "userId": "u", "event": "Signed Up", "messageId": "m"}


def test_home__when_nothing_is_set_up__then_it_leads_to_the_first_steps(alice):
    assert 'href="/start">First steps</a></p>' in alice.get("/")


def test_home__when_there_is_a_journey__then_it_is_no_longer_a_first_run(alice, signup):
    assert "Nothing is set up yet" not in alice.get("/")


def test_start__when_a_site_is_named__then_the_snippet_carries_a_key_that_works(alice, client):
    page = html.unescape(alice.post("/start/site", origin="https://shop.example/"))
    key = re.search(r'desireline\.js" data-key="([^"]+)"', page)
    assert key
    answer = client.post(
        "/v1/track", json={**CALL, "writeKey": key[1]}, headers={"Origin": "https://shop.example"}
    )
    assert answer.status_code == 200


def test_start__when_the_address_is_none__then_it_is_refused_with_the_field(alice):
    assert "origins" in alice.post("/start/site", 422, origin="my shop")


def test_start__when_nothing_arrived__then_it_looks_again_until_something_does(
    alice, database, now
):
    alice.post("/start/site", origin="https://shop.example")
    assert alice.client.get("/start").headers["Refresh"] == "5"
    with transaction(database) as session:
        service.ingest(session, [CALL], source_key="token:1", received_at=now)
    response = alice.client.get("/start")
    assert "Refresh" not in response.headers
    assert "The newest events" in response.text


def test_start__when_somebody_only_views__then_no_key_is_made(bob):
    assert "Make the snippet" not in bob.get("/start")
    bob.post("/start/site", 403, origin="https://shop.example")
