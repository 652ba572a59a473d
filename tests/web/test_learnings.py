"""The learnings on their pages: found, said better, asked again, and seen from the map."""

from datetime import timedelta

import pytest

from experiments.database import transaction
from experiments.design import service as design
from experiments.learnings import service


@pytest.fixture
def learned(database, signup, launch, actor, now):
    """A test that a person ended, and what it taught."""
    with transaction(database) as session:
        launch(session)
        design.abort(session, "headline", reason="Nobody liked it.", actor=actor, now=now)
        return service.learn(session, "headline", actor=actor, now=now)


def test_index__search__finds_by_word_and_says_when_nothing_fits(bob, learned):
    assert "Nobody liked it." in bob.get("/learnings?text=LIKED")
    assert "Nothing fits." in bob.get("/learnings?text=loved")
    bob.get("/learnings?strength=huge", 422)


def test_show__viewer__reads_the_evidence_and_cannot_edit(bob, learned):
    page = bob.get(f"/learnings/{learned.id}")
    assert "ended by hand" in page
    assert all(f">{name}</a>" in page for name in ("Signup", "Landing page"))
    assert "Say it better" not in page
    bob.post(f"/learnings/{learned.id}", 403, statement="Better")
    bob.get("/learnings/99", 404)


def test_edit__other_words__are_shown_beside_the_first(alice, learned):
    address = f"/learnings/{learned.id}"
    page = alice.post(address, statement="Pain bores.", persona="", tags="frame:pain, b")
    assert "Pain bores." in page
    assert "As it was first written" in page
    assert 'href="/learnings?tag=frame:pain"' in page
    assert "statement" in alice.post(address, 422, statement=" ", persona="", tags="")


def test_map_and_contents__where_something_was_learned__lead_to_it(bob, learned):
    for address in ("/journeys/signup", "/journeys/signup/contents"):
        assert "/learnings?journey=signup&amp;touchpoint=landing_page" in bob.get(address)
    assert f"/learnings/{learned.id}" in bob.get("/experiments/headline")


def test_retest__when_due__is_a_button_that_drafts(alice, learned, clock):
    assert "Draft it again" not in alice.get("/learnings")
    clock.at += timedelta(days=91)
    assert "Draft it again" in alice.get("/learnings?due=1")
    assert "headline.again" in alice.post(f"/learnings/{learned.id}/retest")
    assert "Draft it again" not in alice.get("/learnings")
