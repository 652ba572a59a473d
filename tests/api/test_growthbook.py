"""The payload for GrowthBook's SDKs over HTTP, and the script for pages."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlmodel import Session

from api.site import shipped
from experiments.accounts.schemas import Scope
from experiments.database import transaction
from experiments.design import service as design
from experiments.design.schemas import ExperimentOut

LARGEST_SCRIPT_BYTES = 3_000


@pytest.fixture
def live(
    app: Flask, signup: Callable[[Session], None], launch: Callable[..., ExperimentOut]
) -> ExperimentOut:
    """A running experiment, before the application has looked for the first time."""
    with transaction(app.extensions["desireline"].engine) as session:
        signup(session)
        return launch(session)


def test_payload__when_asked_with_a_client_key__then_cacheable_and_free_of_secrets(
    client: FlaskClient, client_key: str, live: ExperimentOut
) -> None:
    response = client.get(f"/api/features/{client_key}", headers={"Origin": "https://shop.example"})
    document = response.get_json()
    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "public, max-age=30, stale-while-revalidate=3600"
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert (document["status"], document["experiments"]) == (200, [])
    rule = document["features"]["headline"]["rules"][0]
    assert rule["seed"] == live.salt
    assert rule["variations"] == ["Try it for free.", "Stop losing time."]
    for secret in ("hypothesis", "owner", "metric", live.name, live.primary_metric):
        assert secret not in response.text


def test_payload__when_the_sdk_has_it__then_304_until_something_changes(
    client: FlaskClient, client_key: str, live: ExperimentOut, app: Flask, actor: Any, clock: Any
) -> None:
    first = client.get(f"/api/features/{client_key}")
    known = {"If-None-Match": f"W/{first.headers['ETag']}"}
    again = client.get(f"/api/features/{client_key}", headers=known)
    assert (again.status_code, again.data) == (304, b"")
    assert again.headers["Access-Control-Allow-Origin"] == "*"
    clock.at += timedelta(minutes=1)
    runtime = app.extensions["desireline"]
    with transaction(runtime.engine) as session:
        design.pause(session, "headline", reason="a bug", actor=actor, now=clock.at)
    changed = client.get(f"/api/features/{client_key}", headers=known)
    for _ in range(600):  # a change reaches every process within a second or so, if it is not busy
        if changed.status_code == 200:
            break
        time.sleep(0.05)
        changed = client.get(f"/api/features/{client_key}", headers=known)
    assert changed.get_json()["dateUpdated"] > first.get_json()["dateUpdated"]
    assert "rules" not in changed.get_json()["features"]["headline"]


def test_payload__when_the_key_is_wrong__then_400_and_of_another_site_403(
    client: FlaskClient, client_key: str, token: Callable[..., dict[str, str]]
) -> None:
    reader = token(Scope.READ)["Authorization"].removeprefix("Bearer ")
    for key in ("unknown", reader):
        refused = client.get(f"/api/features/{key}")
        assert (refused.status_code, refused.get_json()["status"]) == (400, 400)
        assert refused.headers["Access-Control-Allow-Origin"] == "*"
    elsewhere = {"Origin": "https://elsewhere.example"}
    assert client.get(f"/api/features/{client_key}", headers=elsewhere).status_code == 403
    preflight = client.options(f"/api/features/{client_key}", headers=elsewhere)
    assert preflight.status_code == 204
    assert "if-none-match" in preflight.headers["Access-Control-Allow-Headers"]


def test_script__when_shipped__then_small_cacheable_and_for_any_site(client: FlaskClient) -> None:
    response = client.get("/site/desireline.js")
    assert len(response.data) < LARGEST_SCRIPT_BYTES
    assert response.data == shipped()
    assert response.headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert response.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert "max-age=" in response.headers["Cache-Control"]
    known = {"If-None-Match": response.headers["ETag"]}
    assert client.get("/site/desireline.js", headers=known).status_code == 304
