import base64
import gzip
import json
from collections.abc import Callable
from datetime import datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from app import create_app
from experiments.accounts import service as accounts
from experiments.accounts.schemas import Scope, TokenIn
from experiments.audit.schemas import Actor
from experiments.clock import Clock
from experiments.database import reading, transaction
from experiments.events import queries
from experiments.settings import Settings

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


@pytest.mark.parametrize("letter", list("tpsg"))
def test_call__by_its_letter__is_stored(client: FlaskClient, key: str, letter: str) -> None:
    assert client.post(f"/v1/{letter}", json=TRACK, headers=basic(key)).status_code == 200
    assert len(names(client, key)) == 1


def test_batch__by_its_letter__shares_context_and_time_of_sending(
    client: FlaskClient, key: str
) -> None:
    call = {**TRACK, "type": "track", "timestamp": "2026-03-03T08:00:00Z"}
    batch = {
        "batch": [call],
        "context": {"channel": "mobile"},
        "sentAt": "2026-03-03T08:10:00Z",
        "writeKey": key,
    }
    assert client.post("/v1/b", data=json.dumps(batch)).get_json() == {"success": True}
    found = client.get("/api/v1/visitors/u/events", headers={"X-API-Key": key}).get_json()["data"]
    assert (found[0]["source"], found[0]["occurred_at"][:16]) == ("app", "2026-03-02T08:50")


def test_measurements__of_the_browser_library__are_accepted_and_dropped(
    client: FlaskClient, key: str
) -> None:
    response = client.post("/v1/m", data=b'{"series": []}')
    assert (response.status_code, response.get_json()) == (200, {"success": True})


def test_settings__of_a_write_key__lead_back_here(client: FlaskClient, key: str) -> None:
    found = client.get(f"/v1/projects/{key}/settings")
    assert found.headers["Access-Control-Allow-Origin"] == "*"
    assert found.get_json()["integrations"]["Segment.io"] == {
        "apiKey": key,
        "apiHost": "127.0.0.1:8000/v1",
        "protocol": "http",
    }
    assert client.get("/v1/projects/nobody/settings").status_code == 401


def test_source_config__of_a_write_key__is_enabled_and_asks_for_no_other_service(
    client: FlaskClient, key: str
) -> None:
    by_header = client.get("/sourceConfig/?p=npm", headers=basic(key)).get_json()
    by_address = client.get(f"/sourceConfig/?p=npm&writeKey={key}").get_json()
    assert by_header == by_address
    assert (by_header["source"]["enabled"], by_header["source"]["destinations"]) == (True, [])
    assert client.get("/sourceConfig/").status_code == 401


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("POST", "/v1/unknown", 404), ("GET", "/v1/track", 405), ("POST", "/v1/projects/x", 404)],
)
def test_elsewhere__below_the_prefix__is_refused_for_any_origin(
    client: FlaskClient, method: str, path: str, status: int
) -> None:
    response = client.open(path, method=method)
    assert response.status_code == status
    assert set(response.get_json()) == {"success", "code", "message"}
    assert response.headers["Access-Control-Allow-Origin"] == "*"


def test_track__from_a_page_of_another_site__is_refused(
    app: Flask, client: FlaskClient, actor: Actor, now: datetime
) -> None:
    data = TokenIn(name="site", scopes=[Scope.INGEST], origins=["https://shop.example"])
    with transaction(app.extensions["desireline"].engine) as session:
        secret = accounts.create_token(session, data, actor=actor, now=now).secret
    told = {"json": TRACK, "headers": {**basic(secret), "Origin": "https://shop.example"}}
    assert client.post("/v1/track", **told).status_code == 200
    told["headers"]["Origin"] = "https://evil.example"
    assert client.post("/v1/track", **told).status_code == 403


@pytest.mark.parametrize(
    ("header", "signal"), [({"Sec-GPC": "1"}, "gpc"), ({"DNT": "1"}, "dnt"), ({"DNT": "0"}, "")]
)
def test_track__browser_asks_for_privacy__is_recorded(
    app: Flask, client: FlaskClient, key: str, header: Headers, signal: str
) -> None:
    client.post("/v1/track", json=TRACK, headers=basic(key) | header)
    with reading(app.extensions["desireline"].engine) as session:
        assert [event.privacy for event in queries.recent(session)] == [signal]


def test_batch__that_the_database_refuses__is_acknowledged_and_kept_with_the_reason(
    app: Flask, client: FlaskClient, key: str
) -> None:
    runtime = app.extensions["desireline"]
    with runtime.engine.begin() as connection:
        connection.execute(
            text(
                "CREATE TRIGGER no BEFORE INSERT ON event WHEN new.name = 'Bad' "
                "BEGIN SELECT RAISE(ABORT, 'no such thing'); END"
            )
        )
    told = [{"type": "track", "userId": "u", "event": name} for name in ("A", "", "Bad", "B")]
    response = client.post("/v1/batch", json={"batch": told}, headers=basic(key))
    assert response.status_code == 200
    rejected = {item["index"]: item["error"] for item in response.get_json()["rejected"]}
    assert "is required" in rejected.pop(1)
    assert "no such thing" in rejected.pop(2)
    assert (rejected, names(client, key)) == ({}, ["B", "A"])
    letters = client.get("/api/v1/events/dead-letters", headers={"X-API-Key": key}).get_json()
    assert [(item["kind"], "Bad" in item["body"]) for item in letters["data"]] == [("events", True)]


def test_track__while_the_writer_stops__says_try_again_without_a_time(
    app: Flask, client: FlaskClient, key: str
) -> None:
    app.extensions["desireline"].commits.stop()
    response = client.post("/v1/track", json=TRACK, headers=basic(key))
    assert response.status_code == 503
    assert "Retry-After" not in response.headers


def test_track__opt_out_is_honoured__nothing_is_stored(app: Flask, key: str, clock: Clock) -> None:
    honouring = create_app(changed(app, honour_opt_out=True), clock)
    client = honouring.test_client()
    for header in ({}, {"Sec-GPC": "1"}):
        call = {**TRACK, "messageId": str(header)}
        assert client.post("/v1/track", json=call, headers=basic(key) | header).status_code == 200
    assert len(names(client, key)) == 1
    honouring.extensions["desireline"].close()


def test_track__more_often_than_allowed__says_how_many_whole_seconds_to_wait(
    app: Flask, key: str, clock: Clock
) -> None:
    sparing = create_app(changed(app, tracking_calls_per_minute=2), clock)
    client = sparing.test_client()
    answers = [client.post("/v1/track", json=TRACK, headers=basic(key)) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert 1 <= int(answers[2].headers["Retry-After"]) <= 60
    assert answers[2].headers["Access-Control-Allow-Origin"] == "*"
    sparing.extensions["desireline"].close()


def changed(app: Flask, **settings: object) -> Settings:
    """The settings of the same installation, after the operator changed some."""
    own: Settings = app.extensions["desireline"].settings
    return own.model_copy(update=settings)


def test_erase__over_the_api__late_events_are_taken_and_not_stored(
    client: FlaskClient, key: str, token: Callable[..., Headers]
) -> None:
    manager = token(Scope.MANAGE)
    client.post("/v1/track", json=TRACK, headers=basic(key))
    found = client.get("/api/v1/visitors/u/export", headers=manager).get_json()
    assert [event["name"] for event in found["events"]] == ["Signed Up"]
    assert client.get("/api/v1/visitors/u/export", headers=basic(key)).status_code == 403
    for events in (1, 0):
        erased = client.post("/api/v1/visitors/u/erase", headers=manager)
        assert (erased.status_code, erased.get_json()["events"]) == (200, events)
    late = {**TRACK, "messageId": "late"}
    assert client.post("/v1/track", json=late, headers=basic(key)).status_code == 200
    assert client.get("/api/v1/visitors/u/events", headers=basic(key)).status_code == 404
