from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from experiments.accounts.schemas import Scope

Token = Callable[..., dict[str, str]]
TEMPLATE = {"key": "shop", "name": "Shop", "template": "signup"}


@pytest.fixture
def headers(client: FlaskClient, token: Token) -> dict[str, str]:
    """A token, with a journey made from a template."""
    made = token()
    answer = client.post("/api/v1/journeys-from-templates", json=TEMPLATE, headers=made)
    assert answer.status_code == 201
    return made


def test_journey__drafted_published_changed_and_reverted__keeps_every_version(
    client: FlaskClient, headers: dict[str, str]
) -> None:
    root = "/api/v1/journeys/shop"
    why = {"reason": "because"}
    assert client.post(f"{root}/versions/1/publish", json=why, headers=headers).status_code == 200
    content = {"key": "hero-headline", "type": "string", "payload": "Sleep well again"}
    added = client.post(f"{root}/contents", json=content, headers=headers)
    assert (added.status_code, added.get_json()["number"]) == (201, 2)
    graph = client.get(f"{root}/versions/1", headers=headers).get_json()["graph"]
    graph["stages"][0]["touchpoints"][0]["slots"][0]["content_version"] = 2
    drafted = client.post(f"{root}/versions", json={"graph": graph}, headers=headers)
    assert drafted.status_code == 201
    refused = client.post(f"{root}/versions/2/publish", json=why, headers=headers)
    assert refused.status_code == 422
    assert "approve it first" in refused.get_json()["detail"]
    approve = f"{root}/contents/hero-headline/2/approve"
    assert client.post(approve, headers=headers).status_code == 200
    assert client.post(f"{root}/versions/2/publish", json=why, headers=headers).status_code == 200
    (change,) = client.get(f"{root}/versions/1/changes/2", headers=headers).get_json()["data"]
    assert change["path"] == (
        "stages/visit/touchpoints/landing_page/slots/hero_headline/content_version"
    )
    back = client.post(f"{root}/revert", json={"version": 1, **why}, headers=headers)
    assert (back.status_code, back.get_json()["provenance"]) == (201, {"revert_to": 1})
    statuses = [
        (version["number"], version["status"])
        for version in client.get(f"{root}/versions", headers=headers).get_json()["data"]
    ]
    assert statuses == [(3, "standard"), (2, "superseded"), (1, "superseded")]
    assert client.get(root, headers=headers).get_json()["standard"] == 3
    assert len(client.get(f"{root}/contents", headers=headers).get_json()["data"]) == 4


def test_create_journey__stage_without_metric_in_the_catalogue__writes_nothing(
    client: FlaskClient, token: Token
) -> None:
    stage = {
        "key": "visit",
        "name": "Visits",
        "entry_rule": {"event": "Page Viewed"},
        "goal_metric": "nothing",
    }
    graph = {"stages": [stage], "entry_points": ["visit"], "goal": "visit"}
    data = {"key": "shop", "name": "Shop", "graph": graph}
    headers = token()
    refused = client.post("/api/v1/journeys", json=data, headers=headers)
    assert refused.status_code == 422
    (error,) = refused.get_json()["errors"]
    assert error["pointer"] == "/graph/stages/0/goal_metric"
    assert client.get("/api/v1/journeys", headers=headers).get_json()["data"] == []


def test_create_journey__taken_key__is_a_conflict(
    client: FlaskClient, headers: dict[str, str]
) -> None:
    again = client.post("/api/v1/journeys-from-templates", json=TEMPLATE, headers=headers)
    assert again.status_code == 409


def test_create_journey__token_that_only_reads__is_refused(
    client: FlaskClient, token: Token
) -> None:
    answer = client.post(
        "/api/v1/journeys-from-templates", json=TEMPLATE, headers=token(Scope.READ)
    )
    assert answer.status_code == 403
