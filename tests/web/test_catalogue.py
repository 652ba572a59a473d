"""The catalogue of metrics on its pages."""

import pytest

from experiments.database import reading
from experiments.metrics import queries

FORM = {
    "key": "bought",
    "name": "Bought",
    "kind": "conversion",
    "event": "Order Completed",
    "where": '{"plan": "pro"}',
    "window_hours": "48",
    "direction": "increase",
}


@pytest.fixture
def stocked(alice):
    alice.post("/catalogue", **FORM)
    return alice


def found(database):
    with reading(database) as session:
        return queries.metric(session, "bought")


def test_add__form__becomes_the_metric_that_was_meant(stocked, database):
    made = found(database)

    assert (made.rule.event, made.rule.where) == ("Order Completed", {"plan": "pro"})
    assert made.window_hours == 48
    assert made.denominator is None


def test_add__ratio__keeps_both_rules(alice, database):
    alice.post(
        "/catalogue",
        **{**FORM, "kind": "ratio", "value_property": "total", "denominator_event": "Visit"},
    )

    denominator = found(database).denominator
    assert denominator is not None
    assert denominator.event == "Visit"


def test_add__key_is_taken__says_so_and_keeps_what_was_typed(stocked):
    page = stocked.post("/catalogue", 409, **{**FORM, "name": "Another <b>"})

    assert "There is a metric &#39;bought&#39; already" in page
    assert 'value="Another &lt;b&gt;"' in page


@pytest.mark.parametrize(
    ("field", "given", "told"),
    [
        ("window_hours", "two", "is not a whole number"),
        ("winsorise_above", "x", "is not a number"),
        ("where", "[1]", "must be a mapping"),
        ("kind", "sum", "value_property is required"),
        ("kind", "nothing", "kind"),
    ],
)
def test_add__wrong_field__is_named_and_kept(alice, field, given, told):
    page = alice.post("/catalogue", 422, **{**FORM, field: given})

    assert told in page
    assert 'value="Order Completed"' in page


def test_correct__with_a_reason__is_written_to_the_log(stocked, database):
    stocked.post(
        "/catalogue/bought", **{**FORM, "window_hours": "72", "reason": "they take longer"}
    )

    assert found(database).window_hours == 72
    assert "they take longer" in stocked.get("/catalogue/bought")


def test_correct__without_a_reason__changes_nothing(stocked, database):
    page = stocked.post("/catalogue/bought", 422, **{**FORM, "window_hours": "72"})

    assert "say in a few words why" in page
    assert 'value="72"' in page
    assert found(database).window_hours == 48


def test_show__metric_of_a_stage__names_the_stage_and_its_journey(bob, signup):
    page = bob.get("/catalogue/signup.visit")

    assert 'href="/journeys/signup"' in page
    assert "No experiment uses it." in page


def test_show__metric_of_an_experiment__names_it_with_its_role(alice, signup):
    place = "slot:landing_page/hero_headline"
    alice.post("/experiments/new", journey="signup", name="Shorter", place=place)
    chosen = {"primary_metric": "signup.visit", "metric": "signup.activate"}
    alice.post("/experiments/shorter/edit/metrics", **chosen, **{"margin_signup.activate": "2"})

    assert "primary" in alice.get("/catalogue/signup.visit")
    assert "guardrail" in alice.get("/catalogue/signup.activate")


def test_show__unknown_metric__is_not_found(bob):
    assert "There is no metric" in bob.get("/catalogue/nothing", 404)
