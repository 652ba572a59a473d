"""An experiment on its pages: drafted, checked, started, changed, ended."""

import pytest

from experiments.database import reading
from experiments.design import queries
from experiments.design.schemas import Status

FORM = {
    "journey": "signup",
    "name": "Shorter headline",
    "key": "short-headline",
    "slot": "landing_page/hero_headline",
    "coverage": "50",
    "key_0": "control",
    "weight_0": "50",
    "key_1": "short",
    "weight_1": "50",
    "content_1": "Free for ever <b>!",
    "primary_metric": "signup.visit",
    "guardrails": "signup.activate",
    "margin": "2",
    "minimum_lift": "10",
    "baseline": "0,2",
    "visitors_per_week": "5000",
    "promotion": "ask",
}


@pytest.fixture
def drafted(alice, signup):
    alice.post("/experiments/new", **FORM)
    return alice


def found(database):
    with reading(database) as session:
        return queries.experiment(session, "short-headline")


def test_new__form__becomes_the_draft_that_was_meant(drafted, database):
    made = found(database)

    assert made.status is Status.DRAFT
    assert made.coverage == 0.5
    assert made.plan.baseline == 0.2
    assert [(arm.key, arm.weight) for arm in made.variants] == [("control", 0.5), ("short", 0.5)]
    assert [(rail.metric, rail.margin) for rail in made.guardrails] == [("signup.activate", 0.02)]


def test_new__weights_do_not_sum__says_so_and_keeps_what_was_typed(alice, signup):
    page = alice.post("/experiments/new", 422, **{**FORM, "weight_1": "40"})

    assert "the weights sum to 0.9; they must sum to 1" in page
    assert 'value="Shorter headline"' in page
    assert "Free for ever &lt;b&gt;!" in page


@pytest.mark.parametrize(
    ("field", "given", "told"),
    [
        ("coverage", "half", "is not a number"),
        ("slot", "", "choose a slot"),
        ("audience", "[1]", "must be a mapping"),
        ("minimum_days", "8", "whole weeks"),
    ],
)
def test_new__wrong_field__is_named_with_the_fix(alice, signup, field, given, told):
    page = alice.post("/experiments/new", 422, **{**FORM, field: given})

    assert told in page
    assert field in page


def test_edit__form_as_it_comes__changes_nothing_but_what_was_changed(drafted, database):
    page = drafted.get("/experiments/short-headline/edit")
    assert "Free for ever &lt;b&gt;!" in page

    drafted.post("/experiments/short-headline/edit", **{**FORM, "name": "Another name"})

    assert found(database).name == "Another name"


def test_show__draft__tells_the_checks_before_the_start(drafted):
    page = drafted.get("/experiments/short-headline")

    assert "Checks before the start" in page
    assert "Start now" in page


def test_show__draft__says_what_its_plan_can_find_and_draws_it(drafted):
    page = drafted.get("/experiments/short-headline")
    assert "28 days are planned" in page

    address = "/experiments/short-headline?table=power&format=json"
    chances = [row["power"] for row in drafted.client.get(address).json["rows"]]
    assert chances == sorted(chances)
    drawn = drafted.client.get("/experiments/short-headline/plots/results/power.dark.svg")
    assert drawn.mimetype == "image/svg+xml"


def test_steps__from_start_to_archive__change_the_state(drafted, database):
    steps = {
        "start": Status.RUNNING,
        "pause": Status.PAUSED,
        "resume": Status.RUNNING,
        "stop": Status.MATURING,
        "abort": Status.ABORTED,
        "archive": Status.ARCHIVED,
    }
    for step, status in steps.items():
        drafted.post(f"/experiments/short-headline/steps/{step}", reason="because")
        assert found(database).status is status


def test_step__not_possible_now__is_a_sentence(drafted):
    page = drafted.post("/experiments/short-headline/steps/resume", 409)

    assert "nothing to resume" in page


def test_step__unknown__is_not_found(drafted):
    drafted.post("/experiments/short-headline/steps/explode", 404)


def test_phase__larger_coverage__opens_the_second(drafted, database):
    drafted.post("/experiments/short-headline/steps/start")

    drafted.post("/experiments/short-headline/phases", coverage="100", reason="all is well")

    assert [phase.coverage for phase in found(database).phases] == [0.5, 1.0]


def test_look__nobody_came_yet__says_what_is_missing_instead_of_a_number(drafted):
    drafted.post("/experiments/short-headline/steps/start")

    page = drafted.post("/experiments/short-headline/look")

    assert "Not decided yet." in page
    assert "Cannot be told yet" in page
    assert "p =" not in page


def test_preview__variant__gives_a_word_that_works(drafted):
    page = drafted.post("/experiments/short-headline/preview", variant="short")

    assert "desireline_preview=" in page


def test_index__tabs_and_search__show_what_was_asked(drafted):
    assert "Shorter headline" in drafted.get("/experiments?tab=draft&q=SHORT")
    assert "Shorter headline" not in drafted.get("/experiments?tab=promoted")
    assert "Nothing has “100%”" in drafted.get("/experiments?q=100%25")


def test_map__test_runs_on_a_touchpoint__is_shown_there(drafted):
    drafted.post("/experiments/short-headline/steps/start")

    assert 'href="/experiments/short-headline"' in drafted.get("/journeys/signup")


@pytest.fixture
def looked_at(drafted):
    drafted.post("/experiments/short-headline/steps/start")
    drafted.post("/experiments/short-headline/look")
    return drafted


def test_views__each__opens_and_an_unknown_one_does_not(looked_at):
    for view in ("results", "time", "health", "setup", "log"):
        looked_at.get(f"/experiments/short-headline?view={view}")
    looked_at.get("/experiments/short-headline?view=nothing", 404)


@pytest.mark.parametrize(
    ("view", "table", "told"),
    [
        ("results", "results", "signup.visit,primary stage"),
        ("results", "rule", "planned split"),
        ("health", "checks", "planned split"),
        ("setup", "phases", "1,2026-03-02"),
        ("log", "log", "experiment started"),
    ],
)
def test_tables__asked_for_as_csv__are_files_at_the_same_address(looked_at, view, table, told):
    address = f"/experiments/short-headline?view={view}&table={table}&format=csv"
    answer = looked_at.client.get(address)

    assert answer.mimetype == "text/csv"
    assert told in answer.text


def test_tables__unknown_name_or_format__are_refused(looked_at):
    looked_at.get("/experiments/short-headline?format=csv&table=nothing", 404)
    looked_at.get("/experiments/short-headline?format=xml", 422)


def test_index__filters__stay_in_the_links_and_hold_for_the_file(drafted):
    page = drafted.get("/experiments?tab=draft&q=short&sort=name")
    assert "sort=name" in page
    assert "tab=promoted&amp;q=short" in page

    answer = drafted.client.get("/experiments?tab=draft&sort=owner&format=json")
    assert [row["experiment"] for row in answer.json["rows"]] == ["short-headline"]
    assert answer.json["rows"][0]["lead"] is None
    assert drafted.client.get("/experiments?journey=other&format=json").json["rows"] == []
