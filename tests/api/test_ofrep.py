"""OFREP as the real clients need it; each rule broke one of them when it was not kept."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import numpy as np
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlmodel import Session, func, select, update
from werkzeug.test import TestResponse

from experiments.accounts.schemas import Scope
from experiments.assignment.models import Exposure
from experiments.audit.schemas import Actor
from experiments.database import reading, transaction
from experiments.design import service as design
from experiments.design.models import Phase
from experiments.design.schemas import ExperimentIn, ExperimentOut

Headers = dict[str, str]
FLAGS = "/ofrep/v1/evaluate/flags"
HEADLINE = "signup.landing_page.hero_headline"
STEPS = "signup.first_steps.first_steps_text"
SHORT = {
    "key": "short",
    "name": "Short",
    "journey": "signup",
    "level": "path",
    "variants": [
        {"key": "control", "control": True, "weight": 0.5},
        {
            "key": "short",
            "weight": 0.5,
            "patch": {"operations": [{"op": "skip_stage", "stage": "signup"}]},
        },
    ],
    "primary_metric": "signup.signup",
}


@pytest.fixture
def live(
    app: Flask, signup: Callable[[Session], None], launch: Callable[..., ExperimentOut]
) -> ExperimentOut:
    """A running experiment, before the application has looked for the first time."""
    with transaction(app.extensions["desireline"].engine) as session:
        signup(session)
        return launch(session)


@pytest.fixture
def ask(client: FlaskClient, token: Callable[..., Headers]) -> Callable[..., TestResponse]:
    """Asks for a flag, or for all of them, with a token that may."""
    headers = token(Scope.EVALUATE)

    def post(key: str = "", *, visitor: str = "", send: object = None, **more: str) -> TestResponse:
        body = {"context": {"targetingKey": visitor}} if send is None else send
        address = f"{FLAGS}/{key}" if key else FLAGS
        named = {name.replace("_", "-"): value for name, value in more.items()}
        return client.post(address, json=body, headers=headers | named)

    return post


def exposures(app: Flask) -> int:
    with reading(app.extensions["desireline"].engine) as session:
        return session.exec(select(func.count()).select_from(Exposure)).one()


def test_flag__when_a_visitor_is_in_a_test__then_the_arm_is_the_variant(
    ask: Callable[..., TestResponse], live: ExperimentOut
) -> None:
    answers = [ask(HEADLINE, visitor=f"v{number}").get_json() for number in range(20)]
    contents = {"control": "Try it for free.", "pain": "Stop losing time."}
    assert {item["variant"] for item in answers} == set(contents)
    for item in answers:
        assert item["key"] == HEADLINE
        assert item["reason"] == "SPLIT"
        assert item["value"] == contents[item["variant"]]
        assert item["metadata"]["inExperiment"] is True
        assert item["metadata"]["experiment"] == "headline"
        assert item["metadata"]["version"] == 2


def test_flag__when_asked_by_the_experiments_key__then_the_same_arm(
    ask: Callable[..., TestResponse], live: ExperimentOut
) -> None:
    for number in range(10):
        of_slot = ask(HEADLINE, visitor=f"v{number}").get_json()
        of_experiment = ask("headline", visitor=f"v{number}").get_json()
        assert of_experiment == of_slot | {"key": "headline"}


def test_flag__when_nothing_is_tested__then_static(
    ask: Callable[..., TestResponse], live: ExperimentOut
) -> None:
    answer = ask(STEPS, visitor="v").get_json()
    assert (answer["reason"], answer["variant"]) == ("STATIC", "standard")
    assert answer["metadata"]["inExperiment"] is False


def test_flag__when_nobody_is_named__then_the_standard_and_no_test(
    ask: Callable[..., TestResponse], live: ExperimentOut, app: Flask
) -> None:
    for body in ({}, {"context": {}}, {"context": None}, {"context": {"targetingKey": ""}}):
        answer = ask(HEADLINE, send=body).get_json()
        assert (answer["value"], answer["reason"]) == ("Try it for free.", "DEFAULT")
    assert exposures(app) == 0


def test_flag__when_the_experiment_is_paused__then_disabled_with_the_standard(
    ask: Callable[..., TestResponse], live: ExperimentOut, app: Flask, actor: Any, now: Any
) -> None:
    with transaction(app.extensions["desireline"].engine) as session:
        design.pause(session, "headline", reason="a bug", actor=actor, now=now)
    answer = ask("headline", visitor="v").get_json()
    assert (answer["reason"], answer["value"]) == ("DISABLED", "Try it for free.")
    assert ask(HEADLINE, visitor="v").get_json()["reason"] == "DEFAULT"


def test_flag__when_it_cannot_be_evaluated__then_key_code_and_details(
    ask: Callable[..., TestResponse], live: ExperimentOut
) -> None:
    named = {"context": {"targetingKey": "v"}}
    for key, body, status, code in (
        ("unknown", named, 404, "FLAG_NOT_FOUND"),
        ("no such", named, 404, "FLAG_NOT_FOUND"),
        ("headline", {}, 400, "TARGETING_KEY_MISSING"),
        (HEADLINE, [], 400, "PARSE_ERROR"),
        (HEADLINE, {"context": "v"}, 400, "INVALID_CONTEXT"),
        (HEADLINE, {"context": {"targetingKey": 7}}, 400, "INVALID_CONTEXT"),
        (HEADLINE, {"context": {"targetingKey": "v" * 257}}, 400, "INVALID_CONTEXT"),
        (HEADLINE, {"context": {"targetingKey": "a\0b"}}, 400, "INVALID_CONTEXT"),
    ):
        response = ask(key, send=body)
        answer = response.get_json()
        assert (response.status_code, answer["errorCode"], answer["key"]) == (status, code, key)
        assert answer["errorDetails"]


def test_flag__when_the_body_is_no_json__then_parse_error(
    client: FlaskClient, token: Callable[..., Headers], live: ExperimentOut
) -> None:
    response = client.post(f"{FLAGS}/{HEADLINE}", data=b"{", headers=token())
    assert response.status_code == 400
    assert response.get_json()["errorCode"] == "PARSE_ERROR"
    assert client.post(f"{FLAGS}/{HEADLINE}", data=b"", headers=token()).status_code == 200


def test_single__when_showing_is_seeing__then_one_exposure_and_bulk_never(
    ask: Callable[..., TestResponse], live: ExperimentOut, app: Flask
) -> None:
    assert ask(visitor="v").status_code == 200
    assert exposures(app) == 0
    ask(HEADLINE, visitor="v")
    ask(HEADLINE, visitor="v")
    assert exposures(app) == 1


def test_single__when_asked_for_an_experiment_one_is_not_in__then_nothing_is_counted(
    ask: Callable[..., TestResponse], live: ExperimentOut, app: Flask, token: Any
) -> None:
    with transaction(app.extensions["desireline"].engine) as session:
        session.exec(update(Phase).values(coverage=0.0001))
    answer = ask("headline", visitor="v").get_json()
    assert (answer["reason"], answer["variant"]) == ("DEFAULT", "standard")
    assert "experiment" not in answer["metadata"]
    assert exposures(app) == 0


def test_bulk__when_asked__then_every_flag_equals_its_single_answer(
    ask: Callable[..., TestResponse], live: ExperimentOut
) -> None:
    for visitor in ("v1", "é", "日本"):
        document = ask(visitor=visitor).get_json()
        keys = [item["key"] for item in document["flags"]]
        assert {HEADLINE, STEPS, "headline"} < set(keys)
        assert len(keys) == len(set(keys))
        assert document["metadata"]["version"]
        for item in document["flags"]:
            assert item == ask(item["key"], visitor=visitor).get_json()


def test_bulk__when_the_client_has_the_answer__then_304_with_cors_and_no_body(
    ask: Callable[..., TestResponse], live: ExperimentOut
) -> None:
    etag = ask(visitor="v").headers["ETag"]
    for said in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        response = ask(visitor="v", If_None_Match=said)
        assert (response.status_code, response.data) == (304, b"")
        assert response.headers["ETag"] == etag
        assert response.headers["Access-Control-Allow-Origin"] == "*"
        assert "ETag" in response.headers["Access-Control-Expose-Headers"]
    assert ask(visitor="v", If_None_Match='"other"').status_code == 200


def test_bulk__when_another_visitor_has_another_answer__then_no_304(
    ask: Callable[..., TestResponse], live: ExperimentOut
) -> None:
    tags = {ask(visitor=f"v{number}").headers["ETag"] for number in range(20)}
    assert len(tags) == 2


def test_bulk__when_nobody_is_named__then_experiments_say_what_they_need(
    ask: Callable[..., TestResponse], live: ExperimentOut
) -> None:
    items = {item["key"]: item for item in ask(send={}).get_json()["flags"]}
    assert items["headline"]["errorCode"] == "TARGETING_KEY_MISSING"
    assert items[HEADLINE]["value"] == "Try it for free."


def test_token__when_sent_either_way__then_admitted(
    client: FlaskClient, token: Callable[..., Headers], live: ExperimentOut
) -> None:
    bearer = token(Scope.EVALUATE)
    key = {"X-API-Key": bearer["Authorization"].removeprefix("Bearer ")}
    for headers in (bearer, key):
        assert client.post(FLAGS, json={}, headers=headers).status_code == 200


def test_token__when_absent_unknown_or_without_the_scope__then_401_or_403_with_cors(
    client: FlaskClient, token: Callable[..., Headers], live: ExperimentOut
) -> None:
    for headers, status in (({}, 401), ({"X-API-Key": "dl_no"}, 401), (token(Scope.READ), 403)):
        response = client.post(FLAGS, json={}, headers=headers)
        assert response.status_code == status
        assert response.get_json()["errorDetails"]
        assert response.headers["Access-Control-Allow-Origin"] == "*"


def test_client_token__when_a_page_of_another_site_uses_it__then_403(
    client: FlaskClient, client_key: str, live: ExperimentOut
) -> None:
    for origin, status in (("https://shop.example", 200), ("https://other.example", 403)):
        headers = {"X-API-Key": client_key, "Origin": origin}
        assert client.post(FLAGS, json={}, headers=headers).status_code == status


def test_preflight__when_a_browser_asks__then_everything_it_needs_is_allowed(
    client: FlaskClient,
) -> None:
    for address in (FLAGS, f"{FLAGS}/{HEADLINE}"):
        response = client.options(address, headers={"Origin": "https://shop.example"})
        allowed = response.headers["Access-Control-Allow-Headers"]
        assert response.status_code == 204
        assert set(allowed.split(", ")) == {
            "authorization", "content-type", "if-none-match", "x-api-key"
        }  # fmt: skip


def test_prefix__when_the_address_or_method_is_wrong__then_json_with_cors(
    client: FlaskClient,
) -> None:
    for method, address, status in (
        ("POST", "/ofrep/v1/nothing", 404),
        ("GET", "/ofrep/v1/configuration", 404),
        ("GET", FLAGS, 405),
        ("PUT", f"{FLAGS}/{HEADLINE}", 405),
    ):
        response = client.open(address, method=method)
        assert response.status_code == status
        assert response.get_json()["errorDetails"]
        assert response.headers["Access-Control-Allow-Origin"] == "*"


def test_address__when_it_ends_with_a_slash__then_no_redirect(
    client: FlaskClient, token: Callable[..., Headers], live: ExperimentOut
) -> None:
    for address in (f"{FLAGS}/", f"{FLAGS}/{HEADLINE}/"):
        assert client.post(address, json={}, headers=token()).status_code == 200


def test_bulk__when_paths_differ__then_each_visitor_gets_the_flags_of_their_path(
    app: Flask,
    ask: Callable[..., TestResponse],
    signup: Callable[[Session], None],
    rng: np.random.Generator,
    actor: Actor,
    now: datetime,
) -> None:
    with transaction(app.extensions["desireline"].engine) as session:
        signup(session)
        data = ExperimentIn.model_validate(SHORT)
        design.create(session, data, rng=rng, actor=actor, now=now)
        design.start(session, "short", actor=actor, now=now)
    seen = set()
    for number in range(12):
        visitor = f"v{number}"
        document = ask(visitor=visitor).get_json()
        keys = {item["key"] for item in document["flags"]}
        single = ask(STEPS, visitor=visitor)
        assert (STEPS in keys) == (single.status_code == 200)
        assert HEADLINE in keys
        for item in document["flags"]:
            assert item == ask(item["key"], visitor=visitor).get_json()
        seen.add(STEPS in keys)
    assert seen == {True, False}
    assert exposures(app) == 12  # in both arms, where the paths part
