"""Results, decisions and promotions over HTTP."""

import csv
import io
from datetime import timedelta

import pytest
from sqlalchemy import insert

from experiments.accounts.schemas import Scope
from experiments.assignment.models import Assignment, Exposure, Visitor
from experiments.database import transaction
from experiments.design import service as design
from experiments.design.schemas import ExperimentIn
from experiments.events.models import Event
from experiments.journeys import service as journeys
from experiments.journeys.schemas import TemplateIn
from experiments.metrics import service as metrics
from experiments.metrics.schemas import MetricIn

ROOT = "/api/v1/experiments/headline"
HOUR = timedelta(hours=1)


@pytest.fixture
def waiting(app, clock, actor, now, rng, token):
    """A running experiment with a clear winner that nobody has looked at; gives headers."""
    data = ExperimentIn.model_validate(
        {
            "key": "headline",
            "name": "Headline",
            "journey": "shop",
            "touchpoint": "landing_page",
            "slot": "hero_headline",
            "variants": [
                {"key": "control", "control": True, "weight": 0.5},
                {"key": "bold", "weight": 0.5, "content": "Bold!"},
            ],
            "primary_metric": "signed-up",
            "plan": {"maximum_days": 7},
        }
    )
    metric = MetricIn(
        key="signed-up", name="Signed up", rule={"event": "Signed Up"}, window_hours=1
    )
    with transaction(app.extensions["desireline"].engine) as session:
        template = TemplateIn(key="shop", name="Shop", template="signup")
        journeys.create_from_template(session, template, actor=actor, now=now)
        journeys.publish(session, "shop", 1, reason="first", actor=actor, now=now)
        metrics.create(session, metric, actor=actor, now=now)
        design.create(session, data, rng=rng, actor=actor, now=now)
        fill(session, design.start(session, "headline", actor=actor, now=now), now)
    clock.at = now + timedelta(days=7, hours=1)
    return token()


def fill(session, experiment, now):
    """A thousand visitors on the seventh day, the treatment's converting twice as often."""
    at = now + timedelta(days=6)
    place = {"experiment_id": experiment.id, "phase_id": experiment.phases[0].id}
    arms = [experiment.variants[number % 2] for number in range(1000)]
    people = [
        {"visitor_id": number + 1, "variant_id": arm.id, **place} for number, arm in enumerate(arms)
    ]
    claim = {"bucket": 0, "propensity": 0.5, "method": "hash", "assigned_at": at}
    happened = {"occurred_at": at + HOUR / 2, "received_at": at + HOUR, "properties": {}}
    buyers = [
        one["visitor_id"]
        for one, arm in zip(people, arms, strict=True)
        if one["visitor_id"] % 10 < (4 if arm.control else 8)
    ]
    run = session.connection().execute
    run(insert(Visitor), [{"id": one["visitor_id"], "created_at": at} for one in people])
    run(insert(Assignment), [{**one, **claim, "contaminated": False} for one in people])
    run(insert(Exposure), [{**one, "first_at": at, "count": 1} for one in people])
    run(
        insert(Event),
        [
            {
                "source_key": "test",
                "message_id": str(visitor),
                "type": "track",
                "name": "Signed Up",
                "visitor_id": visitor,
                "source": "web",
                **happened,
            }
            for visitor in buyers
        ],
    )


def test_results__after_a_look__are_the_run_with_its_reasons(client, waiting):
    made = client.post(f"{ROOT}/analyse", headers=waiting)
    assert made.status_code == 200
    answer = client.get(f"{ROOT}/results", headers=waiting)
    assert answer.json == made.json
    primary = answer.json["readout"]["metrics"][0]
    assert [arm["figure"] for arm in primary["arms"]] == [0.4, 0.8]
    undefined = answer.json["readout"]["metrics"][1]["comparisons"][0]["effect_abs"]
    assert undefined == {"reason": "an arm has no visitors yet"}


def test_results__before_a_look__are_a_404_problem(client, waiting):
    answer = client.get(f"{ROOT}/results", headers=waiting)
    assert answer.status_code == 404
    assert answer.mimetype == "application/problem+json"


def test_results_csv__a_look__has_a_row_per_metric_and_arm(client, waiting):
    result = client.post(f"{ROOT}/analyse", headers=waiting).json
    answer = client.get(f"{ROOT}/results.csv", headers=waiting)
    assert answer.mimetype == "text/csv"
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert len(rows) == 2 * 7
    assert rows[1]["variant"] == "bold"
    assert float(rows[1]["figure"]) == 0.8
    assert float(rows[1]["effect_abs"]) == pytest.approx(0.4)
    assert rows[0]["effect_abs"] == ""
    assert {row["trust"] for row in rows} == {result["trust"]["light"]}


def test_lights__a_look_at_a_test__are_those_of_its_results(client, waiting):
    result = client.post(f"{ROOT}/analyse", headers=waiting).json
    answer = client.get("/api/v1/trust/lights", headers=waiting)
    assert answer.json["data"] == [{"experiment": "headline", "trust": result["trust"]}]


def test_decide__winner_of_a_plan_that_asks__can_be_approved_and_reverted(client, waiting):
    client.post(f"{ROOT}/analyse", headers=waiting)
    decided = client.post(f"{ROOT}/decide", headers=waiting).json
    assert (decided["outcome"], decided["variant"]) == ("promote", "bold")
    assert {row["ruling"] for row in decided["trace"]} == {"passed"}
    promotion = f"{ROOT}/promotions/{decided['promotion']['id']}"
    assert client.post(f"{promotion}/approve", headers=waiting).json["state"] == "applied"
    listed = client.get(f"{ROOT}/decisions", headers=waiting).json
    assert [row["promotion"]["state"] for row in listed["data"]] == ["applied"]
    refused = client.post(f"{promotion}/revert", headers=waiting, json={})
    assert refused.status_code == 422
    assert refused.json["errors"][0]["pointer"] == "/reason"
    reverted = client.post(f"{promotion}/revert", headers=waiting, json={"reason": "did not hold"})
    assert reverted.json["state"] == "rolled_back"


def test_decide__after_the_end__is_a_conflict(client, waiting, clock):
    client.post(f"{ROOT}/analyse", headers=waiting)
    client.post(f"{ROOT}/decide", headers=waiting)
    clock.at += timedelta(days=30)
    client.post(f"{ROOT}/analyse", headers=waiting)
    assert client.post(f"{ROOT}/decide", headers=waiting).status_code == 409


def test_approve__promotion_of_another_experiment__is_not_found(client, waiting):
    assert client.post(f"{ROOT}/promotions/99/approve", headers=waiting).status_code == 404


@pytest.mark.parametrize("path", ["analyse", "decide", "promotions/1/approve"])
def test_changing__with_a_token_that_only_reads__is_forbidden(client, waiting, token, path):
    assert client.post(f"{ROOT}/{path}", headers=token(Scope.READ)).status_code == 403


def test_probation__after_a_promotion__is_listed_judged_and_ended(client, waiting):
    client.post(f"{ROOT}/analyse", headers=waiting)
    number = client.post(f"{ROOT}/decide", headers=waiting).json["promotion"]["id"]
    assert client.get("/api/v1/probations", headers=waiting).json["data"] == []
    client.post(f"{ROOT}/promotions/{number}/approve", headers=waiting)
    (held,) = client.get("/api/v1/probations", headers=waiting).json["data"]
    assert (held["experiment"], held["state"], held["holdback_share"]) == (
        "headline",
        "running",
        0.1,
    )
    assert held["claimed"]["effect_rel"] > 0
    assert "reason" in held["realised"]
    probation = f"{ROOT}/promotions/{number}/probation"
    assert client.post(f"{probation}/verify", headers=waiting).json["state"] == "running"
    ended = client.post(f"{probation}/end", headers=waiting, json={"reason": "make room"}).json
    assert (ended["state"], ended["sentence"]) == ("ended", "make room")
    calibration = client.get("/api/v1/calibration", headers=waiting).json
    assert calibration["realised"]["states"] == {"ended": 1}
    unknown = client.post(f"{ROOT}/promotions/99/probation/verify", headers=waiting)
    assert unknown.status_code == 404
