"""Merging a variant's content into a map."""

from experiments.decisions.rewording import changed_nodes, with_content
from experiments.journeys import documents
from experiments.journeys.schemas import TemplateIn

WHERE = {"touchpoint": "landing_page", "slot": "hero_headline"}


def graph():
    return documents.from_template(TemplateIn(key="shop", name="Shop", template="signup")).graph


def test_with_content__one_slot__changes_nothing_else():
    before = graph()
    after = with_content(before, **WHERE, content="bold", number=3)
    slot = after.slot("landing_page", "hero_headline")
    assert (slot.content, slot.content_version) == ("bold", 3)
    restored = with_content(after, **WHERE, content="hero-headline", number=1)
    assert restored == before


def test_changed_nodes__other_slot_changed__is_no_conflict():
    after = with_content(
        graph(), touchpoint="plan_page", slot="plan_claim", content="bold", number=1
    )
    assert changed_nodes(graph(), after, **WHERE) == ()


def test_changed_nodes__same_slot_changed__names_it():
    after = with_content(graph(), **WHERE, content="bold", number=1)
    assert changed_nodes(graph(), after, **WHERE) == (
        "touchpoints/landing_page/slots/hero_headline",
    )
