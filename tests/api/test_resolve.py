from collections.abc import Callable
from datetime import timedelta
from typing import Any, Protocol

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine
from sqlmodel import Session

from experiments.accounts.schemas import Scope
from experiments.database import transaction
from experiments.design.schemas import ExperimentOut

Headers = dict[str, str]
PLACE = {"journey": "signup", "touchpoint": "landing_page"}


class HasTime(Protocol):
    at: Any


@pytest.fixture
def live(
    app: Flask, signup: Callable[[Session], None], launch: Callable[..., ExperimentOut]
) -> ExperimentOut:
    """A running experiment, before the application has looked for the first time."""
    with transaction(app.extensions["desireline"].engine) as session:
        signup(session)
        return launch(session)


def slot(client: FlaskClient, headers: Headers, **asked: object) -> dict[str, Any]:
    response = client.post("/api/v1/resolve", json=PLACE | asked, headers=headers)
    assert response.status_code == 200
    found: dict[str, Any] = response.get_json()["slots"]["hero_headline"]
    return found


def test_resolve__same_visitor__sees_the_same_and_is_readable(
    client: FlaskClient, token: Callable[..., Headers], live: ExperimentOut
) -> None:
    headers = token()
    first = slot(client, headers, visitor="v")
    assert first["experiment"] == "headline"
    assert slot(client, headers, visitor="v") == first
    person = client.get("/api/v1/visitors/v", headers=headers).get_json()
    variant = next(arm.id for arm in live.variants if arm.key == first["variant"])
    assert [arm["variant_id"] for arm in person["assignments"]] == [variant]


def test_resolve__unknown_place__answers_with_the_fallback(
    client: FlaskClient, token: Callable[..., Headers]
) -> None:
    asked = {"journey": "x", "touchpoint": "y", "visitor": "v", "fallback": {"hero": "Own"}}
    response = client.post("/api/v1/resolve", json=asked, headers=token(Scope.EVALUATE))
    found = response.get_json()["slots"]["hero"]
    assert (response.status_code, found["value"], found["source"]) == (200, "Own", "fallback")


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"visitor": ""}, "/visitor"),
        ({"visitor": "a\x00b"}, "/visitor"),
        ({"visiter": "v"}, "/visiter"),
        ({"journey": None}, "/journey"),
        ({"slots": "hero"}, "/slots"),
    ],
)
def test_resolve__a_wrong_field__is_named(
    client: FlaskClient, token: Callable[..., Headers], changes: dict[str, object], pointer: str
) -> None:
    response = client.post("/api/v1/resolve", json=PLACE | changes, headers=token())
    assert response.status_code == 422
    assert [item["pointer"] for item in response.get_json()["errors"]] == [pointer]


def test_resolve__database_away__answers_from_the_hash_and_records_later_once(
    app: Flask, client: FlaskClient, token: Callable[..., Headers], live: ExperimentOut
) -> None:
    headers, opened = token(), app.extensions["desireline"]
    slot(client, headers, visitor="seen before")
    rename(opened.engine, "alias", "elsewhere")
    found = slot(client, headers, visitor="v")
    rename(opened.engine, "elsewhere", "alias")
    assert found["experiment"] == "headline"
    for _ in range(2):
        opened.resolver.replay()
    person = client.get("/api/v1/visitors/v", headers=headers).get_json()
    variant = next(arm.id for arm in live.variants if arm.key == found["variant"])
    assert [arm["variant_id"] for arm in person["assignments"]] == [variant]


def rename(engine: Engine, table: str, name: str) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql(f"ALTER TABLE {table} RENAME TO {name}")


def test_explain__says_every_rung__and_writes_nothing(
    client: FlaskClient, token: Callable[..., Headers], live: ExperimentOut
) -> None:
    headers = token()
    told = client.post("/api/v1/explain", json=PLACE | {"visitor": "v"}, headers=headers)
    rungs = told.get_json()["rungs"]["hero_headline"]
    assert [rung["rung"] for rung in rungs][:3] == ["forced", "automation", "holdout"]
    assert all(rung["reason"] for rung in rungs)
    assert client.get("/api/v1/visitors/v", headers=headers).status_code == 404


def test_preview_link__shows_the_variant_until_it_expires_and_counts_nothing(
    client: FlaskClient, token: Callable[..., Headers], live: ExperimentOut, clock: HasTime
) -> None:
    headers = token()
    made = client.post(
        "/api/v1/experiments/headline/preview-links",
        json={"variant": "pain", "hours": 2},
        headers=headers,
    )
    assert made.status_code == 201
    preview = made.get_json()["token"]
    found = slot(client, headers, visitor="v", preview=preview)
    assert (found["source"], found["value"]) == ("forced", "Stop losing time.")
    assert client.get("/api/v1/visitors/v", headers=headers).status_code == 404
    clock.at += timedelta(hours=2)
    assert slot(client, headers, visitor="v", preview=preview)["source"] != "forced"


def test_preview_link__unknown_variant_or_experiment__is_refused(
    client: FlaskClient, token: Callable[..., Headers], live: ExperimentOut
) -> None:
    path = "/api/v1/experiments/{}/preview-links"
    wrong = client.post(path.format("headline"), json={"variant": "x"}, headers=token())
    assert wrong.status_code == 422
    assert "use one of control, pain" in wrong.get_json()["errors"][0]["detail"]
    nowhere = client.post(path.format("x"), json={"variant": "pain"}, headers=token())
    assert nowhere.status_code == 404


def test_each_address__without_its_scope__is_refused(
    client: FlaskClient, token: Callable[..., Headers]
) -> None:
    ingest = token(Scope.INGEST)
    assert client.post("/api/v1/resolve", json=PLACE, headers=ingest).status_code == 403
    assert client.post("/api/v1/explain", json=PLACE, headers=ingest).status_code == 403
    assert client.get("/api/v1/visitors/v", headers=ingest).status_code == 403
    assert client.get("/api/v1/events/rejected", headers=ingest).status_code == 403
    link = "/api/v1/experiments/x/preview-links"
    assert client.post(link, json={"variant": "a"}, headers=ingest).status_code == 403
    assert client.post("/api/v1/resolve", json=PLACE).status_code == 401
