"""Learnings over the API."""

import pytest

from experiments.database import transaction
from experiments.design import service as design
from experiments.learnings import service

ROOT = "/api/v1/learnings"


@pytest.fixture
def learned(app, signup, launch, actor, now):
    with transaction(app.extensions["desireline"].engine) as session:
        signup(session)
        launch(session)
        design.abort(session, "headline", reason="Nobody liked it.", actor=actor, now=now)
        return service.learn(session, "headline", actor=actor, now=now)


def test_learnings__searched__are_a_page(client, token, learned):
    headers = token()
    found = client.get(f"{ROOT}?text=liked&journey=signup", headers=headers).json
    assert [item["experiment"] for item in found["data"]] == ["headline"]
    assert client.get(f"{ROOT}?due=1", headers=headers).json["data"] == []
    assert client.get(f"{ROOT}?strength=huge", headers=headers).status_code == 422


def test_learning__edited_with_its_tag__says_it_better(client, token, learned):
    headers, address = token(), f"{ROOT}/{learned.id}"
    seen = client.get(address, headers=headers)
    data = {"statement": "Pain bores.", "tags": ["frame:pain"]}
    assert client.put(address, headers=headers, json=data).status_code == 428
    fresh = headers | {"If-Match": seen.headers["ETag"]}
    assert client.put(address, headers=fresh, json=data).json["statement"] == "Pain bores."
    assert client.put(address, headers=fresh, json=data).status_code == 412


def test_retest__twice__is_one_draft(client, token, learned):
    headers, address = token(), f"{ROOT}/{learned.id}/retest"
    first, second = (client.post(address, headers=headers) for _ in range(2))
    assert (first.status_code, first.json["key"]) == (201, "headline.again")
    assert second.json == first.json
