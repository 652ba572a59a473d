import base64
import gzip
import json
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from experiments.accounts.schemas import Scope

Headers = dict[str, str]
TRACK = {"userId": "u", "event": "Signed Up", "messageId": "m1"}


@pytest.fixture
def key(token: Callable[..., Headers]) -> str:
    """A write key, as a site would have it."""
    return token(Scope.INGEST, Scope.READ)["Authorization"].removeprefix("Bearer ")


def basic(key: str) -> Headers:
    return {"Authorization": "Basic " + base64.b64encode(f"{key}:".encode()).decode()}


def names(client: FlaskClient, key: str, visitor: str = "u") -> list[str]:
    found = client.get(f"/api/v1/visitors/{visitor}/events", headers={"X-API-Key": key})
    return [event["name"] for event in found.get_json()["data"]]


@pytest.mark.parametrize("where", ["basic", "body"])
def test_track__write_key_as_basic_user_or_in_the_body__is_stored(
    client: FlaskClient, key: str, where: str
) -> None:
    headers = basic(key) if where == "basic" else {}
    body = TRACK if where == "basic" else {**TRACK, "writeKey": key}
    response = client.post("/v1/track", data=json.dumps(body), headers=headers)
    assert (response.status_code, response.get_json()) == (200, {"success": True})
    assert names(client, key) == ["Signed Up"]


@pytest.mark.parametrize(
    ("path", "body", "name"),
    [
        ("identify", {"userId": "u", "traits": {"a": 1}}, "Identified"),
        ("page", {"userId": "u"}, "Page Viewed"),
        ("screen", {"userId": "u"}, "Screen Viewed"),
        ("group", {"userId": "u", "groupId": "g"}, "Grouped"),
        ("alias", {"userId": "u", "previousId": "o"}, "Aliased"),
    ],
)
def test_call__of_each_type__is_stored(
    client: FlaskClient, key: str, path: str, body: dict[str, object], name: str
) -> None:
    assert client.post(f"/v1/{path}/", json=body, headers=basic(key)).status_code == 200
    assert names(client, key) == [name]


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/json", "application/x-www-form-urlencoded"]
)
@pytest.mark.parametrize("packed", [False, True])
def test_batch__any_content_type__is_read(
    client: FlaskClient, key: str, content_type: str, packed: bool
) -> None:
    text = json.dumps({"batch": [{**TRACK, "type": "track"}]}).encode()
    response = client.post(
        "/v1/batch",
        data=gzip.compress(text) if packed else text,
        content_type=content_type,
        headers=basic(key),
    )
    assert (response.status_code, response.get_json()) == (200, {"success": True})
    assert names(client, key) == ["Signed Up"]


def test_batch__sent_again_with_one_bad_event__stores_once_and_lists_the_bad(
    client: FlaskClient, key: str
) -> None:
    batch = {"batch": [{**TRACK, "type": "track"}, {"type": "track"}, 7]}
    for _ in range(2):
        response = client.post("/v1/batch", json=batch, headers=basic(key))
        assert response.status_code == 200
        assert [item["index"] for item in response.get_json()["rejected"]] == [1, 2]
    assert names(client, key) == ["Signed Up"]
    refused = client.get("/api/v1/events/rejected?limit=3", headers={"X-API-Key": key}).get_json()
    assert len(refused["data"]) == 3
    following = f"/api/v1/events/rejected?limit=3&cursor={refused['next_cursor']}"
    rest = client.get(following, headers={"X-API-Key": key}).get_json()
    assert (len(rest["data"]), rest["next_cursor"]) == (1, None)


def test_batch__half_a_surrogate_pair__is_one_bad_event_only(client: FlaskClient, key: str) -> None:
    body = '{"batch": [{"type": "page", "userId": "u"}, {"type": "page", "userId": "\\ud800"}]}'
    response = client.post("/v1/batch", data=body, headers=basic(key))
    assert [item["index"] for item in response.get_json()["rejected"]] == [1]


def test_import__events__are_marked_as_imported(client: FlaskClient, key: str) -> None:
    batch = {"batch": [{**TRACK, "type": "track"}]}
    client.post("/v1/import", json=batch, headers=basic(key))
    found = client.get("/api/v1/visitors/u/events", headers={"X-API-Key": key}).get_json()
    assert found["data"][0]["source"] == "import"


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"{", 400),
        (b"[]", 400),
        (b"\x1f\x8bnot gzip", 400),
        (b"[" * 100_000, 400),
        (json.dumps({"userId": "u"}).encode(), 400),
        (json.dumps({**TRACK, "properties": {"a": "x" * 40_000}}).encode(), 400),
        (b" " * 513_000, 413),
        (gzip.compress(b" " * 50_000_000), 413),
    ],
)
def test_track__what_cannot_be_stored__is_refused_with_code_and_message(
    client: FlaskClient, key: str, data: bytes, status: int
) -> None:
    response = client.post("/v1/track", data=data, headers=basic(key))
    assert response.status_code == status
    assert set(response.get_json()) == {"success", "code", "message"}
    assert response.headers["Access-Control-Allow-Origin"] == "*"


def test_track__no_or_wrong_or_narrow_key__is_refused(
    client: FlaskClient, token: Callable[..., Headers]
) -> None:
    assert client.post("/v1/track", json=TRACK).status_code == 401
    assert client.post("/v1/track", json={**TRACK, "writeKey": 3}).status_code == 401
    assert client.post("/v1/track", json=TRACK, headers=basic("nobody")).status_code == 401
    narrow = client.post("/v1/track", json=TRACK, headers=token(Scope.READ))
    assert narrow.status_code == 403
    assert narrow.get_json()["message"].startswith("This needs")


def test_preflight__from_any_site__is_allowed_without_credentials(client: FlaskClient) -> None:
    asked = {
        "Origin": "https://shop.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,x-own",
    }
    response = client.options("/v1/batch", headers=asked)
    assert response.status_code == 200
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert response.headers["Access-Control-Allow-Headers"] == "authorization,x-own"
    assert "Access-Control-Allow-Credentials" not in response.headers
