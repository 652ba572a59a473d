"""Replay and blame on their pages and over the API."""

from experiments.accounts.schemas import Scope

WHERE = {"visitor": "v-1", "place": "signup/landing_page"}


def test_replay__asked__shows_what_was_standard(alice, signup, now):
    page = alice.get("/replay?visitor=v-1&place=signup/landing_page&at=2026-03-02T10:00")
    assert "Try it for free." in page
    assert "Nothing was logged" in page


def test_replay__before_the_journey__says_so_and_keeps_what_was_typed(alice, signup):
    address = "/replay?visitor=v-1&place=signup/landing_page&at=2020-03-02T10:00"
    page = alice.get(address, 422)
    assert "There is no touchpoint at that time" in page
    assert 'value="v-1"' in page


def test_replay__no_time__is_a_problem_of_the_field(alice, signup):
    page = alice.get("/replay?visitor=v-1&place=signup/landing_page&at=yesterday", 422)
    assert "<code>at</code>" in page


def test_api__replay__answers_by_slot(client, token, signup):
    address = "/api/v1/visitors/v-1/replay?journey=signup&touchpoint=landing_page"
    found = client.get(f"{address}&at=2026-03-02T10:00:00Z", headers=token(Scope.READ)).json
    assert found["slots"]["hero_headline"]["source"] == "standard"
    assert found["journey_version"] == 1


def test_blame__journey_as_it_began__names_who_published_it(alice, signup, client, token):
    page = alice.get("/journeys/signup/blame")
    assert "touchpoints/landing_page/slots/hero_headline" in page
    assert "alice@example.org" in page
    address = "/api/v1/journeys/signup/blame?node=touchpoints/landing_page"
    found = client.get(address, headers=token(Scope.READ)).json["data"]
    assert {item["node"].split("/")[1] for item in found} == {"landing_page"}
    assert {item["version"] for item in found} == {1}
