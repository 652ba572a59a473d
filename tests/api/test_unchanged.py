"""Nobody overwrites what they have not seen."""

import pytest

WHY = {"reason": "because"}
METRIC = {"key": "orders", "name": "Orders", "rule": {"event": "Order Completed"}}
CHANGED = {"metric": {**METRIC, "name": "All orders"}, "reason": "clearer"}
ONE = "/api/v1/metrics/orders"


@pytest.fixture
def headers(client, token):
    """A token, with a metric and a drafted journey."""
    made = token()
    assert client.post("/api/v1/metrics", json=METRIC, headers=made).status_code == 201
    template = {"key": "shop", "name": "Shop", "template": "signup"}
    client.post("/api/v1/journeys-from-templates", json=template, headers=made)
    return made


def test_change__without_having_read__is_asked_to_read_first(client, headers):
    refused = client.put(ONE, json=CHANGED, headers=headers)
    assert (refused.status_code, refused.mimetype) == (428, "application/problem+json")
    assert "If-Match" in refused.json["detail"]
    assert client.get(ONE, headers=headers).json["name"] == "Orders"


def test_change__somebody_was_faster__is_refused_and_nothing_is_lost(client, headers):
    seen = {**headers, "If-Match": client.get(ONE, headers=headers).headers["ETag"]}
    assert client.put(ONE, json=CHANGED, headers=seen).status_code == 200
    late = {"metric": {**METRIC, "name": "Sales"}, "reason": "also clearer"}
    assert client.put(ONE, json=late, headers=seen).status_code == 412
    assert client.get(ONE, headers=headers).json["name"] == "All orders"


def test_read__nothing_new__says_so_without_a_body(client, headers):
    seen = client.get(ONE, headers=headers).headers["ETag"]
    again = client.get(ONE, headers={**headers, "If-None-Match": seen})
    assert (again.status_code, again.data) == (304, b"")


def test_draft__written_again__is_frozen_once_it_is_the_standard(client, headers):
    address = "/api/v1/journeys/shop/versions/1"
    read = client.get(address, headers=headers)
    draft = {"graph": read.json["graph"], "note": "second thoughts"}
    seen = {**headers, "If-Match": read.headers["ETag"]}
    written = client.put(address, json=draft, headers=seen)
    assert (written.status_code, written.json["note"]) == (200, "second thoughts")
    assert written.headers["ETag"] != read.headers["ETag"]
    published = client.post(f"{address}/publish", json=WHY, headers=headers)
    assert published.status_code == 200
    seen["If-Match"] = client.get(address, headers=headers).headers["ETag"]
    refused = client.put(address, json=draft, headers=seen)
    assert refused.status_code == 409
    assert "never changes" in refused.json["detail"]
