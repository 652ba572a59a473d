"""Personas over the API."""

PERSONA = {"key": "pro", "name": "Pros", "rule": {"plan": "pro"}}


def test_persona__described_changed_and_retired__is_versioned(client, token):
    manage = token()
    assert client.post("/api/v1/personas", json=PERSONA, headers=manage).status_code == 201
    found = client.get("/api/v1/personas/pro", headers=manage)
    tagged = {**manage, "If-Match": found.headers["ETag"]}
    changed = {**PERSONA, "name": "Professionals"}
    assert client.put("/api/v1/personas/pro", json=changed, headers=tagged).json["version"] == 2
    assert client.put("/api/v1/personas/pro", json=changed, headers=tagged).status_code == 412

    retired = client.post("/api/v1/personas/pro/retire", json={"reason": "r"}, headers=manage)
    assert retired.json["retired_at"]
    listed = client.get("/api/v1/personas", headers=manage).json["data"]
    assert [item["key"] for item in listed] == ["pro"]
    versions = client.get("/api/v1/personas/pro/versions", headers=manage).json["data"]
    assert [item["name"] for item in versions] == ["Professionals", "Pros"]


def test_members__journey_unknown_or_known__is_told(client, token):
    headers = token()
    client.post("/api/v1/personas", json=PERSONA, headers=headers)
    journey = {"key": "shop", "name": "Shop", "template": "signup"}
    client.post("/api/v1/journeys-from-templates", json=journey, headers=headers)

    found = client.get("/api/v1/personas/pro/members?journey=shop", headers=headers)

    assert (found.json["visitors"], found.json["stages"]) == (0, [])
    lost = client.get("/api/v1/personas/pro/members?journey=nowhere", headers=headers)
    assert lost.status_code == 404
