"""A request that is sent again, as after a lost answer."""

from threading import Barrier, Thread

import pytest

LAYER = {"key": "home", "name": "Home"}


@pytest.fixture
def headers(token):
    return {**token(), "Idempotency-Key": "5f3a"}


def test_post__sent_again__has_one_effect_and_one_answer(client, headers):
    first = client.post("/api/v1/layers", json=LAYER, headers=headers)
    again = client.post("/api/v1/layers", json=LAYER, headers=headers)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json == first.json
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert len(client.get("/api/v1/layers", headers=headers).json["data"]) == 1


def test_post__key_of_another_request__is_refused(client, headers):
    client.post("/api/v1/layers", json=LAYER, headers=headers)
    refused = client.post("/api/v1/layers", json={**LAYER, "name": "Start"}, headers=headers)
    assert refused.status_code == 422
    assert refused.json["errors"][0]["pointer"] == "/Idempotency-Key"


def test_post__key_of_another_token__means_nothing(client, headers, token):
    client.post("/api/v1/layers", json=LAYER, headers=headers)
    other = {**token(), "Idempotency-Key": headers["Idempotency-Key"]}
    assert client.post("/api/v1/layers", json=LAYER, headers=other).status_code == 409


def test_post__refused_at_first__can_be_corrected_under_the_same_key(client, headers):
    refused = client.post("/api/v1/layers", json={"key": "home"}, headers=headers)
    assert refused.status_code == 422
    assert client.post("/api/v1/layers", json=LAYER, headers=headers).status_code == 201


def test_post__answer_with_a_secret__is_never_told_twice(client, headers):
    data = {"name": "site", "scopes": ["evaluate"]}
    made = client.post("/api/v1/tokens", json=data, headers=headers)
    again = client.post("/api/v1/tokens", json=data, headers=headers)
    assert (made.status_code, again.status_code) == (201, 409)
    assert made.json["secret"] not in again.text


@pytest.mark.parametrize("key", ["", "a b", "x" * 256])
def test_post__malformed_key__is_refused(client, headers, key):
    refused = client.post("/api/v1/layers", json=LAYER, headers={**headers, "Idempotency-Key": key})
    assert (refused.status_code, refused.json["errors"][0]["pointer"]) == (422, "/Idempotency-Key")


def test_post__sent_at_the_same_moment__has_one_effect(app, client, headers):
    start, answers = Barrier(4), []

    def send() -> None:
        start.wait()
        answers.append(app.test_client().post("/api/v1/layers", json=LAYER, headers=headers))

    threads = [Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert (
        sum("Idempotency-Replayed" not in a.headers for a in answers if a.status_code == 201) == 1
    )
    assert len(client.get("/api/v1/layers", headers=headers).json["data"]) == 1
