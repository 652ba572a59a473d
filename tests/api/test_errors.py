"""Every refusal is a problem, with the id under which the log has the rest."""

import pytest

PROBLEM = "application/problem+json"


@pytest.mark.parametrize(
    ("method", "address", "status"),
    [
        ("GET", "/api/v1/nothing", 404),
        ("GET", "/api/v1/metrics//", 404),
        ("DELETE", "/api/v1/metrics", 405),
        ("GET", "/api/v1/metrics", 401),
        ("DELETE", f"/api/v1/tokens/{2**31}", 404),
    ],
)
def test_refusal__of_the_framework_too__is_a_problem(client, method, address, status):
    refused = client.open(address, method=method)
    assert (refused.status_code, refused.mimetype) == (status, PROBLEM)
    assert refused.json["status"] == status
    assert refused.json["request_id"] == refused.headers["X-Request-Id"]
    assert refused.json["errors"] == []
    assert ("Allow" in refused.headers) is (status == 405)


@pytest.mark.parametrize(
    ("sent", "is_kept"), [("trace-1.a_b", True), ("x" * 65, False), ("a b", False), ("", False)]
)
def test_request_id__sent__is_echoed_when_it_is_harmless(client, sent, is_kept):
    answer = client.get("/healthz", headers={"X-Request-Id": sent})
    assert (answer.headers["X-Request-Id"] == sent) is is_kept
    assert len(answer.headers["X-Request-Id"]) > 0


def test_body__too_large__is_a_problem(client, token):
    refused = client.post("/api/v1/layers", data=b" " * 5_000_001, headers=token())
    assert (refused.status_code, refused.mimetype) == (413, PROBLEM)


def test_body__text_where_a_number_is_due__is_not_guessed(client, token):
    holdout = {"key": "h", "name": "H", "journey": "shop", "share": "0.1"}
    refused = client.post("/api/v1/holdouts", json=holdout, headers=token())
    assert refused.status_code == 422
    assert refused.json["errors"][0]["pointer"] == "/share"
