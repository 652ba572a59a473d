"""Bad input through every door: the field and the fix are named, and nothing is half-written."""

import json
from dataclasses import dataclass
from typing import Any

import pytest

VARIANTS = [
    {"key": "control", "control": True, "weight": 0.5},
    {"key": "pain", "weight": 0.4, "content": "Stop losing time."},
]
STAGE = {"key": "visit", "name": "Visits", "entry_rule": {"event": "Page Viewed"}}
MIXED = {"$or": [{"age": {"$gt": 18}}, {"age": "old"}]}


def journey(**stage: object) -> dict[str, object]:
    graph = {"stages": [{**STAGE, **stage}], "entry_points": ["visit"], "goal": "visit"}
    return {"key": "new", "name": "New", "graph": graph}


@dataclass(frozen=True, kw_only=True)
class Mistake:
    """One mistake as a document, and where and how it must be named."""

    pointer: str
    words: str
    address: str = "/experiments"
    changes: dict[str, Any] | None = None
    document: dict[str, Any] | None = None
    page: str = "/journeys/new"
    form: dict[str, str] | None = None
    noun: str = "experiment"


MISTAKES = {
    "unknown key": Mistake(
        pointer="/colour",
        words="unknown field",
        changes={"colour": "red"},
    ),
    "wrong type": Mistake(
        pointer="/coverage",
        words="number",
        changes={"coverage": "half"},
    ),
    "weights that do not sum": Mistake(
        pointer="/variants",
        words="sum to 0.9; they must sum to 1",
        changes={"variants": VARIANTS},
        page="/experiments/second/edit/variants",
        form={
            "name_0": "control",
            "weight_0": "50",
            "key_1": "pain",
            "name_1": "Kept name",
            "weight_1": "40",
            "content_1": "Stop losing time.",
        },
    ),
    "rule that compares a string with a number": Mistake(
        pointer="/audience",
        words="age",
        changes={"audience": MIXED},
    ),
    "stage whose rule compares a string with a number": Mistake(
        pointer="/graph/stages/0/entry_rule/where",
        words="age",
        address="/journeys",
        document=journey(goal_metric="shop.visit", entry_rule={"event": "E", "where": MIXED}),
        noun="journey",
    ),
    "stage without a metric": Mistake(
        pointer="/graph/stages/0/goal_metric",
        words="is required",
        address="/journeys",
        document=journey(),
        form={"document": json.dumps(journey()), "name": "Kept name"},
        noun="journey",
    ),
    "stage with a metric nobody made": Mistake(
        pointer="/graph/stages/0/goal_metric",
        words="metric",
        address="/journeys",
        document=journey(goal_metric="nothing"),
        form={"document": json.dumps(journey(goal_metric="nothing")), "name": "Kept name"},
        noun="journey",
    ),
    "journey with an unknown key": Mistake(
        pointer="/graph/stages/0/colour",
        words="unknown field",
        address="/journeys",
        document=journey(goal_metric="shop.visit", colour="red"),
        form={
            "document": json.dumps(journey(goal_metric="shop.visit", colour="red")),
            "name": "Kept name",
        },
        noun="journey",
    ),
}
mistakes = pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES)
on_pages = pytest.mark.parametrize(
    "mistake",
    [item for item in MISTAKES.values() if item.form],
    ids=[name for name, item in MISTAKES.items() if item.form],
)


@pytest.fixture
def untouched(office):
    """Fails when the mistake of a test left anything behind."""
    before = office.stored()
    yield
    assert office.stored() == before


def written(mistake: Mistake, sound: dict[str, object]) -> dict[str, object]:
    return mistake.document or {**sound, **(mistake.changes or {})}


def is_named(error: dict[str, str], mistake: Mistake) -> bool:
    return error["pointer"] == mistake.pointer and mistake.words in error["detail"]


@mistakes
@pytest.mark.usefixtures("untouched")
def test_api__mistake__is_a_problem_with_its_place(office, mistake, sound):
    answer = office.ask(mistake.address, written(mistake, sound))

    assert answer.status_code == 422
    assert answer.mimetype == "application/problem+json"
    assert any(is_named(error, mistake) for error in answer.json["errors"]), answer.json


@on_pages
@pytest.mark.usefixtures("untouched")
def test_page__mistake__is_a_sentence_and_what_was_typed_is_kept(office, mistake):
    page = office.fill_in(mistake.page, **mistake.form)

    assert page.status_code == 422
    assert "Something needs to be changed" in page.text
    assert mistake.words in page.text
    assert 'value="Kept name"' in page.text


@mistakes
@pytest.mark.usefixtures("untouched")
def test_command__mistake__is_one_sentence_and_exit_code_2(office, mistake, sound):
    result = office.type_in(mistake.noun, "create", file=json.dumps(written(mistake, sound)))

    assert result.exit_code == 2
    assert result.output.startswith("Error: ")
    assert mistake.words in result.output
    assert result.output.count("\n") == 1


@pytest.mark.usefixtures("untouched")
def test_overlapping_slots__second_start__is_refused_at_every_door(office):
    answer = office.ask("/experiments/second/start", {})
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json["errors"]] == ["/slot"]

    page = office.fill_in("/experiments/second/steps/start")
    assert page.status_code == 422

    typed = office.type_in("experiment", "start", "second")
    assert (typed.exit_code, typed.output.count("\n")) == (2, 1)
    for told in (answer.json["detail"], page.text, typed.output):
        assert "put both into one layer with separate parts" in told


@pytest.mark.usefixtures("untouched")
def test_metric__unknown_key_and_wrong_type__are_both_named(office):
    document = {"key": "m", "name": "M", "rule": {"event": "E"}, "window_hours": "two", "x": 1}

    answer = office.ask("/metrics", document)
    assert answer.status_code == 422
    assert {error["pointer"] for error in answer.json["errors"]} == {"/window_hours", "/x"}

    form = {"key": "m", "name": "Kept name", "event": "E", "window_hours": "two"}
    page = office.fill_in("/catalogue", **form)
    assert page.status_code == 422
    assert "is not a whole number" in page.text
    assert 'value="Kept name"' in page.text

    typed = office.type_in("metric", "create", file=json.dumps(document))
    assert typed.exit_code == 2
    assert "window_hours: " in typed.output


@pytest.mark.usefixtures("untouched")
def test_template__unknown__is_refused_at_every_door(office):
    fields = {"key": "new", "name": "Kept name", "template": "../secrets"}

    answer = office.ask("/journeys-from-templates", fields)
    assert (answer.status_code, answer.json["errors"][0]["pointer"]) == (422, "/template")

    page = office.fill_in("/journeys/new", **fields)
    assert page.status_code == 422
    assert "template" in page.text

    typed = office.type_in("journey", "create", "--template", "../secrets", "--key", "new")
    assert typed.exit_code == 2
    assert "template: " in typed.output


LATIN = '{"key": "new", "name": "Café"}'.encode("latin-1")


@pytest.mark.usefixtures("untouched")
def test_bad_encoding__document__is_refused_at_every_door(office):
    answer = office.ask("/journeys", LATIN)
    assert (answer.status_code, answer.mimetype) == (400, "application/problem+json")

    # A page is UTF-8 and so are its forms; stray bytes reach us escaped, and the rest is refused.
    assert office.fill_in("/journeys/new", document=LATIN).status_code == 422

    typed = office.type_in("journey", "create", file=LATIN)
    assert typed.exit_code == 2
    assert "UTF-8" in typed.output


MAPPING = """
kind: visitors
journey: { key: brought, name: Brought }
experiment:
  key: banner
  name: A banner
  variants: [{ key: control, value: A, control: true }, { key: new, value: B }]
visitor: "{id}"
variant: "{arm}"
at: "2026-01-05T00:00:00Z"
outcomes: [{ key: bought, name: Bought, where: { bought: 1 } }]
"""
ROWS = "id,arm,bought\nu1,A,1\nu2,B,0\nu3,A,0\nu4,B,1\n"


@pytest.mark.parametrize(
    ("mapping", "rows", "words"),
    [
        (MAPPING, "id,arm\nu1,A\n", "no column 'bought'"),
        (MAPPING, "", "is empty"),
        (MAPPING + "colour: red\n", ROWS, "colour: unknown field"),
        (MAPPING.replace("visitors", "guesses", 1), ROWS, "kind: must be one of"),
        (MAPPING.encode() + "x: é".encode("latin-1"), ROWS, "UTF-8"),
    ],
    ids=["missing column", "empty", "unknown key", "unknown kind", "bad encoding"],
)
@pytest.mark.usefixtures("untouched")
def test_import__file_that_cannot_be_used__is_one_sentence(office, mapping, rows, words):
    result = office.type_in("import", mapping=mapping, data=rows)

    assert result.exit_code == 2, result.output
    assert words in result.output
    assert result.output.count("\n") == 1


def test_import__visitor_in_two_arms__keeps_the_first_and_names_the_second(office):
    result = office.type_in("import", mapping=MAPPING, data=ROWS + "u1,B,0\n")

    assert result.exit_code == 0, result.output
    assert "5 rows of visitors: 4 stored, 0 there already, 1 rejected." in result.output
    refused = (office.folder / "data.txt.rejected.csv").read_text()
    assert "visitor 'u1' is already in variant 'control'" in refused
