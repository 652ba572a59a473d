from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

Token = Callable[..., dict[str, str]]
ROOT = "/api/v1/experiments"
WHY = {"reason": "because"}
DRAFT: dict[str, Any] = {
    "key": "headline",
    "name": "Headline",
    "journey": "shop",
    "touchpoint": "landing_page",
    "slot": "hero_headline",
    "variants": [
        {"key": "control", "control": True, "weight": 0.5},
        {"key": "pain", "weight": 0.25, "content": "No more paperwork"},
        {"key": "gain", "weight": 0.25, "content": "Free evenings"},
    ],
    "primary_metric": "shop.visit",
}


@pytest.fixture
def headers(client: FlaskClient, token: Token) -> dict[str, str]:
    """A token, with a published journey and a draft on it."""
    made = token()
    template = {"key": "shop", "name": "Shop", "template": "signup"}
    client.post("/api/v1/journeys-from-templates", json=template, headers=made)
    client.post("/api/v1/journeys/shop/versions/1/publish", json=WHY, headers=made)
    assert client.post(ROOT, json=DRAFT, headers=made).status_code == 201
    return made


def put(client: FlaskClient, address: str, document: object, headers: dict[str, str]) -> Any:
    """Write what was read before."""
    seen = client.get(address, headers=headers).headers["ETag"]
    return client.put(address, json=document, headers={**headers, "If-Match": seen})


def test_experiment__from_draft_to_archive__takes_every_step(
    client: FlaskClient, headers: dict[str, str]
) -> None:
    later = {**DRAFT, "starts_at": "2026-03-09T09:00:00+00:00"}
    edited = put(client, f"{ROOT}/headline", later, headers)
    assert edited.get_json()["starts_at"] == "2026-03-09T09:00:00Z"
    findings = client.get(f"{ROOT}/headline/check", headers=headers).get_json()["data"]
    assert {finding["severity"] for finding in findings} == {"warning"}
    steps = ["schedule", "start", "pause", "resume", "abort", "archive"]
    states = ["scheduled", "running", "paused", "running", "aborted", "archived"]
    for step, state in zip(steps, states, strict=True):
        body = WHY if step in {"pause", "abort"} else None
        answer = client.post(f"{ROOT}/headline/{step}", json=body, headers=headers)
        assert (answer.status_code, answer.get_json()["status"]) == (200, state)


def test_experiment__running__changes_only_by_phases(
    client: FlaskClient, headers: dict[str, str]
) -> None:
    client.post(f"{ROOT}/headline/start", headers=headers)
    assert put(client, f"{ROOT}/headline", DRAFT, headers).status_code == 409
    weights = {"control": 0.2, "pain": 0.4, "gain": 0.4}
    phase = {"weights": weights, **WHY}
    opened = client.post(f"{ROOT}/headline/phases", json=phase, headers=headers)
    assert opened.status_code == 201
    assert opened.get_json()["phases"][-1]["weights"] == weights
    without = client.post(f"{ROOT}/headline/variants/gain/remove", json=WHY, headers=headers)
    assert set(without.get_json()["phases"][-1]["weights"]) == {"control", "pain"}
    stopped = client.post(f"{ROOT}/headline/stop", json=WHY, headers=headers)
    assert stopped.get_json()["status"] == "maturing"
    assert client.get(f"{ROOT}/headline", headers=headers).get_json() == stopped.get_json()


def test_start__second_experiment_on_the_slot__names_field_and_fix(
    client: FlaskClient, headers: dict[str, str]
) -> None:
    client.post(ROOT, json={**DRAFT, "key": "second"}, headers=headers)
    client.post(f"{ROOT}/headline/start", headers=headers)
    refused = client.post(f"{ROOT}/second/start", headers=headers)
    assert refused.status_code == 422
    (error,) = refused.get_json()["errors"]
    assert error["pointer"] == "/slot"
    assert "one layer" in error["detail"]


def test_experiments__many__come_in_pages_and_by_state(
    client: FlaskClient, headers: dict[str, str]
) -> None:
    for key in ("b", "c"):
        client.post(ROOT, json={**DRAFT, "key": key}, headers=headers)
    first = client.get(f"{ROOT}?limit=2", headers=headers).get_json()
    assert [item["key"] for item in first["data"]] == ["headline", "b"]
    second = client.get(f"{ROOT}?limit=2&cursor={first['next_cursor']}", headers=headers).get_json()
    assert ([item["key"] for item in second["data"]], second["next_cursor"]) == (["c"], None)
    running = client.get(f"{ROOT}?status=running", headers=headers).get_json()
    assert running["data"] == []
    assert client.get(f"{ROOT}?status=flying", headers=headers).status_code == 422


def test_create_experiment__weights_that_do_not_sum__are_refused(
    client: FlaskClient, headers: dict[str, str]
) -> None:
    variants = [DRAFT["variants"][0], DRAFT["variants"][1]]
    data = {**DRAFT, "key": "second", "variants": variants}
    refused = client.post(ROOT, json=data, headers=headers)
    assert refused.status_code == 422
    assert "the weights sum to 0.75" in refused.get_json()["detail"]
    assert client.get(f"{ROOT}/second", headers=headers).status_code == 404


def test_layers_and_holdouts__made__are_listed(
    client: FlaskClient, headers: dict[str, str]
) -> None:
    layer = {"key": "home", "name": "Home"}
    assert client.post("/api/v1/layers", json=layer, headers=headers).status_code == 201
    assert client.post("/api/v1/layers", json=layer, headers=headers).status_code == 409
    listed = client.get("/api/v1/layers", headers=headers).get_json()["data"]
    assert [item["key"] for item in listed] == ["home"]
    holdout = {"key": "h", "name": "H", "journey": "shop", "share": 0.05}
    assert client.post("/api/v1/holdouts", json=holdout, headers=headers).status_code == 201
    ended = client.post("/api/v1/holdouts/h/end", json=WHY, headers=headers).get_json()
    assert ended["ended_at"] is not None
    assert client.get("/api/v1/holdouts", headers=headers).get_json()["data"] == [ended]
