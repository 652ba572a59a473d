"""Personas on their pages: described, changed, aimed at, retired."""

import pytest

from experiments.database import reading
from experiments.design import queries as designs
from experiments.personas import queries

RULE = {"attribute_1": "plan", "comparison_1": "$in", "value_1": "pro, team"}
AT = "/personas/power-users"


@pytest.fixture
def described(alice):
    alice.post("/personas/new", name="Power users", goals="Save time", **RULE)
    return alice


def test_new__form__is_shown_in_words(described, database):
    page = described.get(AT)

    assert "Everybody whose plan is one of pro, team." in page
    assert "Save time" in page
    with reading(database) as session:
        assert queries.persona(session, "power-users").rule == {"plan": {"$in": ["pro", "team"]}}
    assert "plan is one of pro, team" in described.get("/personas")


def test_edit__other_rule__is_another_version(described):
    assert 'value="pro, team"' in described.get(f"{AT}/edit")
    rule = {"attribute_1": "plan", "comparison_1": "$eq", "value_1": "pro"}
    page = described.post(f"{AT}/edit", name="Power users", **rule)

    assert "Version 2" in page
    assert "Everybody whose plan is pro." in page
    page = described.post(f"{AT}/edit", 422, name="Typed here")
    assert "everybody is no persona" in page
    assert 'value="Typed here"' in page


def test_retire__reason__takes_it_off_the_list(described):
    described.post(f"{AT}/retire", reason="nobody is so")

    assert "Power users" not in described.get("/personas")
    assert "retired" in described.get(AT)


def test_audience__persona_chosen_and_narrowed__is_aimed_at_it(described, signup, database):
    place = "slot:landing_page/hero_headline"
    described.post("/experiments/new", journey="signup", name="Short", place=place)
    narrowed = {"attribute_1": "country", "comparison_1": "$eq", "value_1": "NL"}
    edit = "/experiments/short/edit/audience"
    page = described.post(edit, persona="power-users", **narrowed, then="stay")

    assert '<option value="power-users" selected>' in page
    with reading(database) as session:
        audience = designs.experiment(session, "short").audience
    assert audience == {"$and": [{"plan": {"$in": ["pro", "team"]}}, {"country": "NL"}]}
    assert 'href="/experiments/short"' in described.get(AT)


def test_persona__viewer__sees_it_without_forms(described, bob):
    bob.get("/personas/nobody", 404)
    page = bob.get(AT)

    assert "/retire" not in page
    assert "/edit" not in page
    for address in ("/personas/new", f"{AT}/edit", f"{AT}/retire"):
        bob.post(address, 403, reason="r")
