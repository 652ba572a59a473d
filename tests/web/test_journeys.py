"""Drawing, changing, publishing and reverting a journey on its pages."""

import re

from experiments.database import reading
from experiments.journeys import queries

SEEN = re.compile(r'name="seen" value="(\w+)"')


STAGE = {
    "name": "Visits",
    "kind": "progress",
    "event": "Page Viewed",
    "goal_metric": "signup.visit",
    "next": ["signup", "dormant"],
}


def rename(browser, name):
    """Rename the first stage on its form."""
    address = "/journeys/signup/edit/stages/visit"
    seen = SEEN.search(browser.get(address))
    assert seen
    return browser.post(address, **{**STAGE, "name": name}, seen=seen[1])


def test_new__template__is_a_draft_until_published(alice, database):
    page = alice.post("/journeys/new", template="signup", name="Signup", key="signup")
    assert "This is a draft." in page

    page = alice.post("/journeys/signup/versions/1/publish", reason="the first map")

    assert "Version 1 is the standard now." in page
    with reading(database) as session:
        assert queries.journey(session, "signup").standard == 1


def test_new__bad_key__names_the_field_and_keeps_what_was_typed(alice):
    page = alice.post("/journeys/new", 422, template="signup", name="Kept name", key="no blanks")

    assert "<code>key</code>" in page
    assert 'value="Kept name"' in page


def test_new__broken_document__says_where(alice):
    assert "line 2" in alice.post("/journeys/new", 422, document="key: a\nname: [")


def test_publish__no_reason__asks_for_one(alice, signup):
    assert "say in a few words why" in alice.post(
        "/journeys/signup/versions/1/publish", 422, reason=" "
    )


def test_map__standard__shows_stages_touchpoints_and_what_they_say(bob, signup):
    page = bob.get("/journeys/signup")

    assert "Landing page" in page
    assert "Try it for free." in page
    assert "<svg" in page
    assert "<caption>Signup, version 1" in page


def test_revert__earlier_map__is_the_standard_again(alice, signup, database):
    rename(alice, "Arrives")
    assert "<ins>Arrives</ins>" in alice.get("/journeys/signup/diff?before=1&after=2")
    alice.post("/journeys/signup/versions/2/publish", reason="clearer name")
    alice.post("/journeys/signup/versions/1/revert", reason="it was not clearer")

    with reading(database) as session:
        standard = queries.standard(session, signup)
    assert standard is not None
    assert (standard.number, standard.graph.stages[0].name) == (3, "Visits")


def test_content__written_and_approved__may_be_shown(alice, signup, database):
    alice.post(
        "/journeys/signup/contents", key="hero-headline", type="string", payload="Start now."
    )
    assert "Approve</button>" in alice.get("/journeys/signup/contents")

    alice.post("/journeys/signup/contents/hero-headline/2/approve")

    with reading(database) as session:
        assert queries.content(session, signup, "hero-headline", 2).approved_at is not None
