"""An experiment on its pages: drafted, checked, started, changed, ended."""

import pytest

from experiments.database import reading, transaction
from experiments.design import queries
from experiments.design import service as design
from experiments.design.plans import Plan
from experiments.design.schemas import ExperimentIn, Guardrail, Status, VariantIn

STEPS = {
    "what": {
        "name": "Shorter headline",
        "key": "short-headline",
        "place": "slot:landing_page/hero_headline",
    },
    "variants": {
        "name_0": "control",
        "name_1": "short",
        "even": "1",
        "content_1": "Free for ever <b>!",
    },
    "metrics": {
        "primary_metric": "signup.visit",
        "metric": "signup.activate",
        "margin_signup.activate": "2",
    },
    "audience": {"coverage": "50"},
    "plan": {"minimum_lift": "10", "baseline": "0,2", "visitors_per_week": "5000"},
}


ARM = {"key", "name", "control", "weight", "content"}
DRAFT = ExperimentIn(
    key="short-headline",
    name="Shorter headline",
    journey="signup",
    touchpoint="landing_page",
    slot="hero_headline",
    coverage=0.5,
    variants=[
        VariantIn(key="control", name="control", control=True, weight=0.5),
        VariantIn(key="short", name="short", weight=0.5, content="Free for ever <b>!"),
    ],
    primary_metric="signup.visit",
    guardrails=[Guardrail(metric="signup.activate", margin=0.02)],
    plan=Plan(minimum_lift=0.1, baseline=0.2, visitors_per_week=5000),
)


@pytest.fixture
def drafted(alice, signup, database, rng, actor, now):
    with transaction(database) as session:
        design.create(session, DRAFT, rng=rng, actor=actor, now=now)
    return alice


def found(database):
    with reading(database) as session:
        return queries.experiment(session, "short-headline")


def test_forms__filled_in_step_by_step__make_the_draft(alice, signup, database):
    alice.post("/experiments/new", journey="signup", **STEPS["what"])
    for step in ("variants", "metrics", "audience", "plan"):
        alice.post(f"/experiments/short-headline/edit/{step}", **STEPS[step])

    stored = found(database)
    assert stored.status is Status.DRAFT
    for field in ("name", "touchpoint", "slot", "coverage", "primary_metric", "guardrails", "plan"):
        assert getattr(stored, field) == getattr(DRAFT, field), field
    for arm, meant in zip(stored.variants, DRAFT.variants, strict=True):
        assert arm.model_dump(include=ARM) == meant.model_dump(include=ARM)


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
    drawn = drafted.client.get("/experiments/short-headline/plots/results/power.narrow.dark.svg")
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


def test_index__owner_stage_and_health__are_filters_that_the_counts_keep(looked_at):
    place = "slot:plan_page/plan_claim"
    looked_at.post("/experiments/new", journey="signup", name="Plans", owner="Ann", place=place)

    def names(address):
        return [row["experiment"] for row in looked_at.client.get(address).json["rows"]]

    assert names("/experiments?owner=Ann&format=json") == ["plans"]
    assert names("/experiments?stage=visit&format=json") == ["short-headline"]
    assert names("/experiments?health=unseen&format=json") == ["plans"]
    assert names("/experiments?health=red&format=json") == []
    page = looked_at.get("/experiments?owner=Ann&stage=activate")
    assert 'All<span class="number">1</span>' in page
    assert 'Under way<span class="number">0</span>' in page
    assert "owner=Ann" in page
    assert "No experiment fits these filters." in looked_at.get(
        "/experiments?owner=Ann&stage=visit"
    )
