import gzip
import json
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlmodel import Session
from werkzeug.test import Client, TestResponse

from experiments.accounts.schemas import Scope
from experiments.database import transaction
from experiments.design.schemas import ExperimentOut

Headers = dict[str, str]
BULK = "/ofrep/v1/evaluate/flags"
ONE = f"{BULK}/signup.landing_page.hero_headline"
RESOLVE = "/api/v1/resolve"
ASKED = {"journey": "signup", "touchpoint": "landing_page", "visitor": "v"}
VISITOR = {"context": {"targetingKey": "v"}}
TRACK = {"userId": "v", "event": "Signed Up", "messageId": "m1"}
OF_FLASK = {"X-Request-Id", "Vary", "Content-Security-Policy", "X-Content-Type-Options"}
REQUESTS = {
    "one flag": (ONE, VISITOR, {}),
    "one flag, path with a slash": (f"{ONE}/", VISITOR, {}),
    "no body": (BULK, None, {}),
    "every flag": (BULK, VISITOR, {}),
    "not JSON": (BULK, "{", {}),
    "a list": (BULK, [], {}),
    "no such flag": (f"{BULK}/none", VISITOR, {}),
    "no such address": ("/ofrep/v1/configuration", {}, {}),
    "known answer": (BULK, VISITOR, {"If-None-Match": "*"}),
    "nobody's token": (BULK, VISITOR, {"Authorization": "Bearer nobody"}),
    "broken token": (BULK, VISITOR, {"Authorization": "Basic !"}),
    "track": ("/v1/track", TRACK, {}),
    "letter": ("/v1/t", TRACK, {"Content-Type": "text/plain"}),
    "batch": ("/v1/batch", {"batch": [TRACK, 1]}, {}),
    "no such call": ("/v1/none", {}, {}),
    "wrong event": ("/v1/track", {"event": "x"}, {}),
    "zipped": ("/v1/batch", gzip.compress(json.dumps({"batch": [TRACK]}).encode()), {}),
    "no token": ("/v1/track", TRACK, {"Authorization": ""}),
    "resolve": (RESOLVE, ASKED, {}),
    "resolve, wrong field": (RESOLVE, ASKED | {"visiter": 1}, {}),
    "resolve, not JSON": (RESOLVE, "{", {}),
    "resolve, nobody's token": (RESOLVE, ASKED, {"Authorization": "Bearer nobody"}),
    "resolve, once": (RESOLVE, ASKED, {"Idempotency-Key": "k1"}),
    "too large": (BULK, "x" * 5_000_001, {}),
}


@pytest.fixture
def live(
    app: Flask, signup: Callable[[Session], None], launch: Callable[..., ExperimentOut]
) -> None:
    with transaction(app.extensions["desireline"].engine) as session:
        signup(session)
        launch(session)


def post(application: Any, path: str, body: object, headers: Headers) -> TestResponse:
    data = body if isinstance(body, str | bytes) or body is None else json.dumps(body)
    return Client(application).post(path, data=data, headers=headers)


@pytest.mark.parametrize("named", REQUESTS)
def test_hot_path__any_request__answers_what_flask_answers(
    app: Flask, token: Callable[..., Headers], live: None, named: str
) -> None:
    path, body, more = REQUESTS[named]
    headers = {**token(), **more}
    post(app.wsgi_app, path, body, headers)  # what is new the first time is known to both then
    hot = post(app.wsgi_app, path, body, headers)
    plain = post(app.wsgi_app.behind, path, body, headers)  # type: ignore[attr-defined] # ours
    assert hot.status_code == plain.status_code
    assert without_request_id(hot.data) == without_request_id(plain.data)
    assert told(hot) == told(plain)


@pytest.mark.parametrize("path", [BULK, ONE, "/v1/track"])
def test_hot_path__preflight__answers_what_flask_answers(app: Flask, path: str) -> None:
    headers = {"Origin": "https://shop.example", "Access-Control-Request-Headers": "x-api-key"}
    hot = Client(app.wsgi_app).options(path, headers=headers)
    plain = Client(app.wsgi_app.behind).options(path, headers=headers)  # type: ignore[attr-defined]
    assert (hot.status_code, hot.data) == (plain.status_code, plain.data)
    assert told(hot) == told(plain)


def test_metrics__after_requests__name_routes_and_never_paths_or_visitors(
    client: FlaskClient, token: Callable[..., Headers], live: None
) -> None:
    headers = token(Scope.EVALUATE)
    client.post(ONE, json=VISITOR, headers=headers)
    client.get("/api/v1/visitors/somebody", headers=headers)
    text = client.get("/metrics").get_data(as_text=True)
    assert f'route="{BULK}/<key>"' in text
    assert "hero_headline" not in text
    assert "somebody" not in text


def without_request_id(data: bytes) -> object:
    try:
        document = json.loads(data)
    except ValueError:
        return data
    if isinstance(document, dict):
        document.pop("request_id", None)
    return document


def told(response: TestResponse) -> set[tuple[str, str]]:
    return {(name, value) for name, value in response.headers if name not in OF_FLASK}
