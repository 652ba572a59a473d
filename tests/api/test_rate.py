"""How many calls a token may make in a minute."""

import pytest

from app import create_app
from experiments.settings import Settings
from experiments.tables import create_tables


@pytest.fixture
def app(tmp_path, clock):
    """The application, with two calls a minute."""
    settings = Settings(
        data_dir=tmp_path, database_url="", secret_key="for tests only", api_calls_per_minute=2
    )
    made = create_app(settings, clock)
    create_tables(made.extensions["desireline"].engine)
    yield made
    made.extensions["desireline"].engine.dispose()


def test_calls__more_than_allowed__wait_for_whole_seconds(client, token):
    headers, other = token(), token()
    first = client.get("/api/v1/layers", headers=headers)
    assert first.headers["RateLimit-Policy"] == '"token";q=2;w=60'
    assert first.headers["RateLimit"].startswith('"token";r=1;t=')
    assert client.get("/api/v1/layers", headers=headers).status_code == 200
    refused = client.get("/api/v1/layers", headers=headers)
    assert (refused.status_code, refused.mimetype) == (429, "application/problem+json")
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert refused.headers["RateLimit"].startswith('"token";r=0;t=')
    assert client.get("/api/v1/layers", headers=other).status_code == 200


def test_calls__of_a_busy_site__are_not_counted(client, token):
    asked = {"visitor": "v", "journey": "none", "touchpoint": "none"}
    for _ in range(4):
        answer = client.post("/api/v1/resolve", json=asked, headers=token())
        assert answer.status_code == 200
        assert "RateLimit" not in answer.headers
