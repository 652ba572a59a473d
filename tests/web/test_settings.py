"""People, tokens, jobs, visitors and events on their pages."""

import re

from experiments.accounts import queries
from experiments.assignment import service as visitors
from experiments.assignment.schemas import AliasKind
from experiments.database import reading, transaction


def test_token__made__shows_the_secret_once(alice, database):
    page = alice.post("/settings/tokens", name="Website", scopes=["evaluate", "ingest"])
    found = re.search(r'class="secret">(dl_[^<]+)<', page)

    assert found
    assert found[1] not in alice.get("/settings")
    with reading(database) as session:
        (token,) = queries.tokens(session)
    assert token.scopes == ["evaluate", "ingest"]

    alice.post(f"/settings/tokens/{token.id}/revoke")
    with reading(database) as session:
        assert queries.tokens(session)[0].revoked_at is not None


def test_token__without_a_scope__is_not_made(alice, database):
    assert "scopes" in alice.post("/settings/tokens", 422, name="Website")

    with reading(database) as session:
        assert queries.tokens(session) == []


def test_password__present_one_is_wrong__stays(alice):
    page = alice.post("/settings/password", 422, current="wrong", password="another long password")

    assert "The e-mail or the password is wrong." in page


def test_password__changed__lets_in_with_the_new_one_only(bob):
    new = "another long password"
    bob.post("/settings/password", current="a long enough password", password=new)
    bob.post("/logout")

    bob.sign_in("viewer@example.org", status=401)
    assert "<h1>Today</h1>" in bob.sign_in("viewer@example.org", new)


def test_people__last_administrator__keeps_the_role(alice, database):
    with reading(database) as session:
        (person,) = queries.users(session)

    assert "last administrator" in alice.post(
        f"/settings/people/{person.id}/role", 409, role="viewer"
    )


def test_jobs__run_by_hand__says_what_it_did(alice):
    assert "housekeeping: " in alice.post("/jobs/housekeeping/run")
    alice.post("/jobs/unknown/run", 404)


def test_visitors__id_with_a_slash__is_found(bob, database, now):
    with transaction(database) as session:
        visitors.visitor(session, "crm/42", kind=AliasKind.USER, now=now)

    assert "<h1>crm/42</h1>" in bob.get("/visitors?id=crm/42")


def test_visitors__unknown_id__is_said_and_not_a_dead_end(bob):
    page = bob.get("/visitors?id=nobody", 404)

    assert "was ever seen" in page
    assert 'value="nobody"' in page
