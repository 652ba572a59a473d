"""Layers, holdouts and imports on their pages."""

import pytest

from experiments.database import reading, transaction
from experiments.design import queries
from experiments.imports.models import ImportRun


def place(database, launch, key: str, part: dict[str, object]) -> None:
    with transaction(database) as session:
        launch(session, key=key, name=f"Test of {key}", place=part)


def test_layer__made_and_shared__shows_each_experiment_in_its_part(alice, signup, database, launch):
    alice.post("/layers", key="hero", name="Hero area")
    place(database, launch, "one", {"layer": "hero", "start": 0, "end": 0.5})
    place(database, launch, "two", {"layer": "hero", "start": 0.5, "end": 1})

    page = alice.get("/layers")

    assert page.index("Test of one") < page.index("Test of two")
    assert "0% to 50%" in page
    assert "50% to 100%" in page


def test_layer__key_is_taken__says_so_and_keeps_what_was_typed(alice):
    alice.post("/layers", key="hero", name="Hero area")

    page = alice.post("/layers", 409, key="hero", name="Another")

    assert "already; choose another key" in page
    assert 'value="Another"' in page


def test_holdout__made_and_ended__is_listed_with_both(alice, signup, database):
    alice.post("/holdouts", key="keep", name="Kept out", journey="signup", share="5", audience="")
    assert "Kept out" in alice.get("/layers")

    alice.post("/holdouts/keep/end", reason="enough learned")

    with reading(database) as session:
        (made,) = queries.holdouts(session)
    assert made.share == 0.05
    assert made.ended_at is not None


@pytest.mark.parametrize(
    ("field", "given", "told"),
    [
        ("share", "60", "less than or equal to 0.5"),
        ("share", "", "share"),
        ("audience", "[1]", "must be a mapping"),
        ("audience", "{age: {$gt: [1]}}", "audience"),
        ("journey", "nowhere", "There is no journey"),
    ],
)
def test_holdout__wrong_field__is_named_and_kept(alice, signup, database, field, given, told):
    form = {"key": "keep", "name": "Kept out", "journey": "signup", "share": "5", "audience": ""}

    page = alice.post("/holdouts", 422, **{**form, field: given})

    assert told in page
    assert 'value="Kept out"' in page
    with reading(database) as session:
        assert queries.holdouts(session) == []


def test_imports__one_interrupted__tells_rows_reasons_and_how_to_go_on(bob, database, now):
    run = ImportRun(
        kind="visitors", file_name="cats.csv", content_hash="x", started_at=now,
        rows=90189, stored=90100, rejected=89, reasons={"unreadable": 80, "contaminated": 9},
    )  # fmt: skip
    with transaction(database) as session:
        session.add(run)

    page = bob.get("/imports")

    assert "80 unreadable" in page
    assert "9 contaminated" in page
    assert "interrupted" in page
    assert "desireline import mapping.yaml data.csv" in page
