"""Editing the map by forms: what was typed is in the draft, and nobody overwrites anybody."""

import re

import pytest

from experiments.database import reading
from experiments.journeys import queries
from experiments.journeys.schemas import VersionStatus

EDIT = "/journeys/signup/edit"
LANDING = f"{EDIT}/touchpoints/landing_page"
VISIT = f"{EDIT}/stages/visit"
SEEN = re.compile(r'name="seen" value="(\w+)"')
POINT = {
    "name": "Landing page",
    "channels": "web, app",
    "initiator": "customer",
    "expose": "on_resolve",
    "stage": "visit",
    "repeatable": "1",
    "slot_key_1": "hero_headline",
    "slot_type_1": "string",
    "slot_content_1": "hero-headline@1",
}
STAGE = {
    "name": "Arrives",
    "kind": "progress",
    "customer_question": "Is it for me?",
    "event": "Page Viewed",
    "goal_metric": "signup.visit",
    "expected_dwell_hours": "24",
    "next": ["signup", "dormant"],
}


@pytest.fixture
def editor(alice, signup):
    def send(address, status=200, **fields):
        seen = SEEN.search(alice.get(address))
        assert seen
        return alice.post(address, status, **{"seen": seen[1], **fields})

    return send


def draft(database):
    with reading(database) as session:
        return queries.versions(session, "signup")[0]


def keys(database):
    return [stage.key for stage in draft(database).graph.stages]


def test_stage__written__is_in_a_draft_beside_the_standard(editor, database):
    pains = {"pain_1": "Too long", "evidence_1": "3 of 5 said so", "severity_1": "3"}
    editor(VISIT, **STAGE, **pains, status_1="open", pain_2="")

    made = draft(database)
    (stage, *_) = made.graph.stages
    assert (made.number, made.status) == (2, VersionStatus.DRAFT)
    assert (stage.name, stage.customer_question) == ("Arrives", "Is it for me?")
    assert [(pain.statement, pain.severity) for pain in stage.pain_points] == [("Too long", 3)]
    assert stage.touchpoints[0].key == "landing_page"


def test_changes__one_after_the_other__stay_in_one_draft(editor, database):
    editor(VISIT, **STAGE)
    editor(EDIT, do="stage-down:visit")

    assert draft(database).number == 2
    assert keys(database)[:2] == ["signup", "visit"]
    editor(EDIT, do="stage-up:visit")
    assert keys(database)[:2] == ["visit", "signup"]


def test_stage__added_and_removed__leads_where_the_one_before_led(editor, database):
    new = {"name": "Looks around", "event": "Tour Taken", "goal_metric": "signup.visit"}
    page = editor(EDIT, do="add-stage:", after="visit", **new)
    assert "<h1>Looks around</h1>" in page
    assert keys(database)[:3] == ["visit", "looks-around", "signup"]

    editor(EDIT, do="stage-remove:looks-around")
    assert draft(database).graph.stages[0].next == ["signup", "dormant"]


def test_touchpoint__added_moved_and_removed__is_where_it_was_put(editor, database):
    page = editor(EDIT, do="add-touchpoint:visit", name="Chat window")
    assert "<h1>Chat window</h1>" in page
    editor(EDIT, do="touchpoint-up:chat-window")
    points = draft(database).graph.stages[0].touchpoints
    assert [point.key for point in points] == ["chat-window", "landing_page"]

    editor(EDIT, do="touchpoint-remove:chat-window")
    assert [point.key for point in draft(database).graph.stages[0].touchpoints] == ["landing_page"]


def test_touchpoint__written__has_promise_channels_and_its_new_stage(editor, database):
    promise = {"promise": "An answer within a day", "promise_metric": "signup.visit"}
    editor(LANDING, **{**POINT, "stage": "signup"}, **promise, promise_window="24")

    graph = draft(database).graph
    point = graph.touchpoint("landing_page")
    assert point.channels == ["web", "app"]
    assert (point.promise.statement, point.promise.window_hours) == ("An answer within a day", 24)
    assert graph.stage_of("landing_page").key == "signup"


def test_touchpoint__text_written_for_a_slot__is_a_version_unless_the_map_is_refused(
    editor, alice, database
):
    editor(LANDING, 422, **{**POINT, "expose": "never"}, slot_text_1="Not kept")
    editor(LANDING, **POINT, slot_text_1="Start <b>now.", approve="1")

    slot = draft(database).graph.slot("landing_page", "hero_headline")
    assert (slot.content, slot.content_version) == ("hero-headline", 2)
    with reading(database) as session:
        made = queries.content(session, "signup", "hero-headline", 2)
    assert made.payload == "Start <b>now."
    assert made.approved_at is not None
    assert "Start &lt;b&gt;now." in alice.get(EDIT)


def test_ends__goal_and_entries__are_as_chosen(editor, database):
    editor(EDIT, do="ends:", entry_points=["visit", "signup"], goal="activate", note="earlier goal")

    made = draft(database)
    assert (made.graph.entry_points, made.graph.goal) == (["visit", "signup"], "activate")
    assert made.note == "earlier goal"


def test_change__somebody_was_quicker__is_refused_and_explained(editor, alice, database):
    stale = SEEN.search(alice.get(VISIT))
    editor(VISIT, **STAGE)

    page = alice.post(VISIT, 409, **{**STAGE, "name": "Mine"}, seen=stale[1])

    assert "changed the map" in page
    assert 'value="Mine"' in page
    assert draft(database).graph.stages[0].name == "Arrives"


def test_editor__node_or_change_that_is_none__is_not_found(editor, alice):
    for address in ("stages/nowhere", "touchpoints/nothing"):
        alice.get(f"{EDIT}/{address}", 404)
    editor(EDIT, 404, do="explode:visit")
    assert "is the goal" in editor(EDIT, 422, do="stage-remove:subscribe")


def test_map__promises_and_pain_points__are_in_the_table_too(editor, alice):
    editor(VISIT, **STAGE, pain_1="Too long", severity_1="2", status_1="open")
    editor(LANDING, **POINT, promise="An answer within a day")

    page = alice.get("/journeys/signup/versions/2")

    table = page[page.index("<caption>Signup") :]
    assert "Too long" in table
    assert "promises: An answer within a day" in table
    assert 'href="/journeys/signup/edit"' in page


def test_editor__viewer__is_refused(bob, signup):
    for address in (EDIT, VISIT, LANDING):
        bob.get(address, 403)
        bob.post(address, 403, do="stage-up:signup")
    assert 'href="/journeys/signup/edit"' not in bob.get("/journeys/signup")
