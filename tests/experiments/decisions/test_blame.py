"""Why each node of a standard journey is what it is."""

from datetime import timedelta

import pytest

from experiments.decisions.blame import Origin, blame
from experiments.decisions.origins import origins
from experiments.decisions.rewording import with_content
from experiments.errors import NotFoundError
from experiments.journeys import documents
from experiments.journeys import queries as journeys
from experiments.journeys import service as journey_service
from experiments.journeys.schemas import TemplateIn, VersionIn

HEADLINE = "touchpoints/landing_page/slots/hero_headline"
CLAIM = "touchpoints/plan_page/slots/plan_claim"


def graph():
    return documents.from_template(TemplateIn(key="shop", name="Shop", template="signup")).graph


def headline(before, content):
    return with_content(
        before, touchpoint="landing_page", slot="hero_headline", content=content, number=1
    )


def test_origins__one_slot_changed__only_that_slot_is_younger():
    found = origins([(1, graph()), (4, headline(graph(), "bold"))])
    assert found[HEADLINE] == 4
    assert {number for node, number in found.items() if node != HEADLINE} == {1}
    assert {"stages/visit", "touchpoints/landing_page"} <= found.keys()


def test_origins__changed_and_changed_back__is_as_old_as_the_way_back():
    found = origins([(1, graph()), (2, headline(graph(), "bold")), (3, graph())])
    assert found[HEADLINE] == 3
    assert found[CLAIM] == 1


def test_origins__stage_left_out__is_not_told():
    shorter = graph()
    shorter = shorter.model_copy(update={"stages": shorter.stages[:-1]})
    last = f"stages/{graph().stages[-1].key}"
    assert last not in origins([(1, graph()), (2, shorter)])


@pytest.fixture
def changed(session, journey, actor, now):
    """A headline that a person has written over."""
    later = now + timedelta(days=1)
    current = journeys.standard(session, journey).graph
    data = VersionIn(graph=headline(current, "plan-claim"), note="Shorter")
    made = journey_service.draft_version(session, journey, data, actor=actor, now=later)
    journey_service.publish(session, journey, made.number, reason="short", actor=actor, now=later)
    return session, later


def test_blame__changed_by_a_person__names_them_and_the_version(changed, journey, actor):
    session, at = changed
    (found,) = blame(session, journey, node=HEADLINE)
    assert (found.origin, found.version, found.at) == (Origin.PERSON, 2, at)
    assert (found.by, found.reason) == (str(actor), "Shorter")
    assert found.content == "plan-claim version 1"
    assert {item.version for item in blame(session, journey) if item.node != HEADLINE} == {1}


def test_blame__journey_put_back__says_revert(changed, journey, actor, now):
    session, at = changed
    journey_service.revert(session, journey, 1, reason="worse", actor=actor, now=at)
    (found,) = blame(session, journey, node=HEADLINE)
    assert (found.origin, found.version, found.content) == (
        Origin.REVERT,
        3,
        "hero-headline version 1",
    )


def test_blame__unknown_node__is_not_found(session, journey):
    with pytest.raises(NotFoundError):
        blame(session, journey, node="touchpoints/nowhere")
