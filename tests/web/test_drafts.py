"""Planning a test step by step: stored at every step, planned before it can start."""

import re
from typing import Any

import pytest
from flask import Flask

from experiments.database import reading, transaction
from experiments.design import queries
from experiments.design.schemas import Status
from experiments.events import service as events
from experiments.jobs.locating import locate
from experiments.resolution import overrides

BEGIN = {
    "journey": "signup",
    "name": "Shorter headline",
    "place": "slot:landing_page/hero_headline",
}
AT = "/experiments/shorter-headline/edit"


@pytest.fixture
def drafted(alice, signup):
    alice.post("/experiments/new", **BEGIN)
    return alice


def found(database):
    with reading(database) as session:
        return queries.experiment(session, "shorter-headline")


def test_new__name_and_place__is_a_draft_with_everything_that_can_be_guessed(drafted, database):
    made = found(database)

    assert made.status is Status.DRAFT
    assert made.control.weight == made.treatments[0].weight == 0.5
    assert made.treatments[0].content == "Try it for free."
    assert made.primary_metric == "signup.visit"
    assert "shows what is standard already" in drafted.get(f"{AT}/variants")


def test_variants__split_by_hand__is_stored_and_shown_again(drafted, database):
    given = {"name_0": "control", "weight_0": "80", "name_1": "Short", "key_1": "variant-1"}
    drafted.post(f"{AT}/variants", **given, weight_1="20", content_1="Free <b>!")

    (arm,) = found(database).treatments
    assert (arm.key, arm.name, arm.weight, arm.content) == ("variant-1", "Short", 0.2, "Free <b>!")
    page = drafted.get(f"{AT}/variants")
    assert "Free &lt;b&gt;!" in page
    assert "shows what is standard already" not in page
    assert 'value="20"' in page
    assert "what is standard today on Landing page" in page


def test_variants__third_one_added_then_one_removed__others_keep_their_keys(drafted, database):
    both = {"name_0": "control", "even": "1", "name_1": "Short", "key_1": "variant-1"}
    both |= {"content_1": "Free", "name_2": "Long one", "content_2": "Free for ever"}
    drafted.post(f"{AT}/variants", **both)
    assert [arm.key for arm in found(database).treatments] == ["variant-1", "long-one"]
    assert found(database).control.weight == pytest.approx(1 / 3)

    drafted.post(f"{AT}/variants", **both, key_2="long-one", remove_1="1")
    assert [arm.key for arm in found(database).treatments] == ["long-one"]


def test_variants__shares_do_not_sum__says_so_and_keeps_what_was_typed(drafted, database):
    given = {"name_0": "control", "weight_0": "50", "name_1": "Typed here", "weight_1": "40"}
    page = drafted.post(f"{AT}/variants", 422, **given, content_1="Not lost")

    assert "the weights sum to 0.9; they must sum to 1" in page
    assert "Typed here" in page
    assert "Not lost" in page
    assert found(database).treatments[0].content == "Try it for free."


def test_metrics__another_one_decides__forgets_the_figures_of_the_first(drafted, database):
    drafted.post(f"{AT}/plan", baseline="0.2", visitors_per_week="900")
    chosen = {"primary_metric": "signup.signup", "secondary_metrics": "signup.activate"}
    drafted.post(f"{AT}/metrics", **chosen, metric="signup.visit", **{"margin_signup.visit": "1,5"})

    made = found(database)
    assert made.metrics == ["signup.signup", "signup.activate", "signup.visit"]
    assert made.guardrails[0].margin == 0.015
    assert (made.plan.baseline, made.plan.visitors_per_week) == (None, 900)


def test_audience__condition_layer_and_ramp__are_stored(drafted, database):
    drafted.post("/layers", key="home", name="Home")
    drafted.post(
        f"{AT}/audience",
        attribute_1="country", comparison_1="$in", value_1="NL, BE",
        attribute_2="visits", comparison_2="$gte", value_2="3",
        coverage="10", layer="home", start="0", end="50",
        ramp_coverage_1="50", ramp_hours_1="72", ramp_visitors_1="2000", ramp_approval_1="1",
    )  # fmt: skip

    made = found(database)
    assert made.audience == {"country": {"$in": ["NL", "BE"]}, "visits": {"$gte": 3}}
    assert (made.coverage, made.place and made.place.end) == (0.1, 0.5)
    (step,) = made.ramp
    assert (step.coverage, step.after_hours, step.visitors) == (0.5, 72, 2000)
    assert (step.healthy, step.approval) == (False, True)
    page = drafted.get(f"{AT}/audience")
    assert 'value="NL, BE"' in page


WRONG = (
    ("audience", {"coverage": "half"}, "is not a number"),
    ("audience", {"value_1": "NL"}, "say which attribute"),
    ("audience", {"condition": "[1]"}, "must be a mapping"),
    ("audience", {"condition": '{"$or": [{"age": {"$gt": 18}}, {"age": "old"}]}'}, "compare"),
    ("audience", {"layer": "nowhere", "end": "50"}, "no layer"),
    ("plan", {"minimum_days": "8"}, "whole weeks"),
    ("what", {"name": ""}, "name"),
    ("start", {"starts_at": "soon"}, "starts_at"),
)


def test_step__wrong_field__is_named_with_the_fix(drafted):
    for step, given, told in WRONG:
        assert told in drafted.post(f"{AT}/{step}", 422, **given)
    drafted.get(f"{AT}/nothing", 404)
    page = drafted.post("/experiments/new", 422, **{**BEGIN, "name": "Typed", "place": ""})
    assert "choose a slot" in page
    assert 'value="Typed"' in page


def test_what__another_place__begins_the_variants_anew(drafted, database):
    drafted.post(f"{AT}/what", **{**BEGIN, "place": "slot:plan_page/plan_claim"})

    made = found(database)
    assert made.treatments[0].content == "Keep everything you have set up."
    assert made.primary_metric == "signup.activate"


def test_plan__visitors_came__takes_traffic_and_figure_from_the_data(
    app: Flask, drafted: Any, database: Any, now: Any
) -> None:
    runtime = app.extensions["desireline"]
    weeks_ago = now.replace(month=2, day=9)  # three weeks, so that their two weeks are over
    calls: list[dict[str, object]] = []
    for number in range(40):
        viewed = {"type": "track", "event": "Page Viewed", "userId": f"v{number}"}
        calls.append({**viewed, "messageId": f"p{number}"})
        if number < 10:
            calls.append({**viewed, "event": "Signed Up", "messageId": f"s{number}"})
    with transaction(runtime.engine) as session:
        events.ingest(session, calls, source_key="test", received_at=weeks_ago)
    locate(runtime)

    drafted.post(f"{AT}/plan", minimum_lift="10")

    plan = found(database).plan
    assert plan.visitors_per_week == round(40 / 3)
    assert plan.baseline == 0.25
    page = drafted.get(f"{AT}/plan")
    assert "40 visitors entered Visits" in page
    assert "28 days are planned" in page
    address = re.search(
        r"/experiments/shorter-headline/plots/results/power.wide.light.svg\?look=\d+", page
    )
    assert address
    assert drafted.client.get(address[0]).mimetype == "image/svg+xml"


def test_plan__another_test_takes_the_same_visitors__is_named(drafted):
    other = {**BEGIN, "name": "Other", "place": "slot:plan_page/plan_claim"}
    drafted.post("/experiments/new", **other)
    drafted.post("/experiments/other/steps/start")

    page = drafted.get(f"{AT}/plan")

    assert "Tests that share these visitors" in page
    assert 'href="/experiments/other"' in page
    assert "Up to 100% of its visitors" in drafted.get(f"{AT}/audience")


def test_start__every_variant__has_a_link_that_forces_it(app, drafted, now):
    page = drafted.get(f"{AT}/start")

    tokens = re.findall(r"\?desireline_preview=([\w.-]+)", page)
    key = app.extensions["desireline"].settings.signing_key()
    forced = [overrides.verify(token, key=key, now=now) for token in tokens]
    assert [item and item.variant for item in forced] == ["control", "variant-1"]
    assert "Start now" in page


def test_start__time_given__is_scheduled(drafted, database):
    drafted.post(f"{AT}/start", starts_at="2026-03-09T09:00", then="schedule")

    made = found(database)
    assert made.status is Status.SCHEDULED
    assert made.starts_at is not None
    assert made.starts_at.isoformat() == "2026-03-09T09:00:00+00:00"


def test_start__check_forbids_it__has_no_button(drafted):
    drafted.post("/experiments/new", **{**BEGIN, "name": "First"})
    drafted.post("/experiments/first/steps/start")

    page = drafted.get(f"{AT}/start")

    assert "Start now" not in page
    assert "is running on the same slot" in page


def test_edit__started__leads_to_its_page(drafted):
    drafted.post("/experiments/shorter-headline/steps/start")

    assert "are frozen" in drafted.get(f"{AT}/plan")
