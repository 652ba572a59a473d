from collections.abc import Callable

from flask.testing import FlaskClient

from experiments.accounts.schemas import Scope

Token = Callable[..., dict[str, str]]
ONE = "/api/v1/metrics/orders"
ORDERS = {"key": "orders", "name": "Orders", "rule": {"event": "Order Completed"}}


def test_metrics__created_changed_and_read__are_what_was_sent(
    client: FlaskClient, token: Token
) -> None:
    headers = token()
    made = client.post("/api/v1/metrics", json=ORDERS, headers=headers)
    assert (made.status_code, made.get_json()["window_hours"]) == (201, 14 * 24)
    change = {"metric": {**ORDERS, "window_hours": 24}, "reason": "decided sooner"}
    tagged = {**headers, "If-Match": client.get(ONE, headers=headers).headers["ETag"]}
    changed = client.put(ONE, json=change, headers=tagged)
    assert changed.status_code == 200
    assert client.get(ONE, headers=headers).get_json() == changed.get_json()
    listed = client.get("/api/v1/metrics", headers=headers).get_json()
    assert listed["data"] == [changed.get_json()]


def test_create_metric__text_compared_with_a_number__names_field_and_fix(
    client: FlaskClient, token: Token
) -> None:
    rule = {"event": "Rated", "where": {"stars": {"$gte": "4"}}}
    refused = client.post("/api/v1/metrics", json={**ORDERS, "rule": rule}, headers=token())
    assert refused.status_code == 422
    assert refused.mimetype == "application/problem+json"
    (error,) = refused.get_json()["errors"]
    assert error["pointer"] == "/rule/where"
    assert "stars" in error["detail"]
    assert "write 4 without quotes" in error["detail"]


def test_create_metric__token_that_only_reads__is_refused(
    client: FlaskClient, token: Token
) -> None:
    headers = token(Scope.READ)
    assert client.post("/api/v1/metrics", json=ORDERS, headers=headers).status_code == 403
    assert client.get("/api/v1/metrics/orders", headers=headers).status_code == 404
    assert client.get("/api/v1/metrics").status_code == 401
