"""People and tokens: nothing secret is stored, and nobody gets in who should not."""

from datetime import datetime, timedelta

import pytest
from pydantic import ValidationError
from sqlmodel import Session, select

from experiments.accounts import queries, service
from experiments.accounts.models import ApiToken, User
from experiments.accounts.schemas import Role, Scope, TokenIn, UserIn, UserOut
from experiments.audit.queries import entries
from experiments.audit.schemas import Actor
from experiments.errors import ConflictError, InvalidError, NotAuthenticatedError, NotFoundError

PASSWORD = "correct horse battery"


def make_user(
    session: Session, actor: Actor, now: datetime, *, email: str, role: Role = Role.ADMIN
) -> UserOut:
    data = UserIn(email=email, name="Alice", role=role, password=PASSWORD)
    return service.create_user(session, data, actor=actor, now=now)


def test_password__when_stored__then_only_as_argon2(
    session: Session, actor: Actor, now: datetime
) -> None:
    make_user(session, actor, now, email="alice@example.org")
    stored = session.exec(select(User)).one()
    assert stored.password_hash.startswith("$argon2id$")
    assert PASSWORD not in str(stored.model_dump())


def test_authenticate__when_the_password_fits__then_the_person(
    session: Session, actor: Actor, now: datetime
) -> None:
    alice = make_user(session, actor, now, email="Alice@Example.org")
    assert service.authenticate(session, "ALICE@example.org ", PASSWORD) == alice


@pytest.mark.parametrize(
    ("email", "password"), [("alice@example.org", "wrong"), ("nobody@example.org", PASSWORD)]
)
def test_authenticate__when_anything_is_wrong__then_one_and_the_same_sentence(
    session: Session, actor: Actor, now: datetime, email: str, password: str
) -> None:
    make_user(session, actor, now, email="alice@example.org")
    with pytest.raises(NotAuthenticatedError, match="The e-mail or the password is wrong"):
        service.authenticate(session, email, password)


def test_authenticate__when_disabled__then_refused(
    session: Session, actor: Actor, now: datetime
) -> None:
    make_user(session, actor, now, email="alice@example.org")
    bob = make_user(session, actor, now, email="bob@example.org", role=Role.VIEWER)
    service.disable_user(session, bob.id, actor=actor, now=now)
    with pytest.raises(NotAuthenticatedError):
        service.authenticate(session, "bob@example.org", PASSWORD)


def test_create_user__when_the_email_is_taken__then_conflict(
    session: Session, actor: Actor, now: datetime
) -> None:
    make_user(session, actor, now, email="alice@example.org")
    with pytest.raises(ConflictError, match=r"alice@example\.org"):
        make_user(session, actor, now, email="alice@example.org")


def test_create_user__when_the_password_is_short__then_refused() -> None:
    with pytest.raises(ValidationError, match="at least 12"):
        UserIn(email="a@b.c", name="A", password="short")


def test_first_admin__when_called_twice__then_one_person_and_one_password(
    session: Session, now: datetime
) -> None:
    password = service.first_admin(session, now=now)
    assert password is not None
    assert service.authenticate(session, "admin@localhost", password).role is Role.ADMIN
    assert service.first_admin(session, now=now) is None
    assert len(queries.users(session)) == 1


def test_last_admin__when_demoted_or_disabled__then_refused(
    session: Session, actor: Actor, now: datetime
) -> None:
    alice = make_user(session, actor, now, email="alice@example.org")
    with pytest.raises(ConflictError, match="last administrator"):
        service.set_role(session, alice.id, Role.VIEWER, actor=actor, now=now)
    with pytest.raises(ConflictError, match="last administrator"):
        service.disable_user(session, alice.id, actor=actor, now=now)
    assert queries.user(session, alice.id).role is Role.ADMIN


def test_change_password__when_done__then_only_the_new_one_fits(
    session: Session, actor: Actor, now: datetime
) -> None:
    alice = make_user(session, actor, now, email="alice@example.org")
    service.change_password(session, alice.id, "another long password", actor=actor, now=now)
    with pytest.raises(NotAuthenticatedError):
        service.authenticate(session, alice.email, PASSWORD)
    assert service.authenticate(session, alice.email, "another long password") == alice
    with pytest.raises(InvalidError, match="at least 12"):
        service.change_password(session, alice.id, "short", actor=actor, now=now)


def test_token__when_made__then_found_by_its_secret_which_is_not_stored(
    session: Session, actor: Actor, now: datetime
) -> None:
    data = TokenIn(name="site", scopes=[Scope.INGEST, Scope.EVALUATE])
    made = service.create_token(session, data, actor=actor, now=now)
    granted = service.grant(session, made.secret, now=now)
    assert granted.scopes == {Scope.INGEST, Scope.EVALUATE}
    assert str(granted.actor) == "token:site"
    stored = session.exec(select(ApiToken)).one()
    assert made.secret not in str(stored.model_dump())
    assert made.secret.startswith(stored.prefix)
    assert made.secret not in str([entry.detail for entry in entries(session)])


def test_token__when_expired_revoked_or_unknown__then_refused(
    session: Session, actor: Actor, now: datetime
) -> None:
    soon = now + timedelta(hours=1)
    expiring = TokenIn(name="short", scopes=[Scope.READ], expires_at=soon)
    short = service.create_token(session, expiring, actor=actor, now=now)
    other = TokenIn(name="other", scopes=[Scope.READ])
    revoked = service.create_token(session, other, actor=actor, now=now)
    service.revoke_token(session, revoked.id, actor=actor, now=now)
    service.revoke_token(session, revoked.id, actor=actor, now=now)
    assert service.grant(session, short.secret, now=now).scopes == {Scope.READ}
    for secret in (short.secret, revoked.secret, "dl_unknown"):
        with pytest.raises(NotAuthenticatedError):
            service.grant(session, secret, now=soon)
    assert [token.revoked_at for token in queries.tokens(session)] == [now, None]
    with pytest.raises(NotFoundError):
        service.revoke_token(session, 999, actor=actor, now=now)


def test_client_token__when_made__then_its_key_stays_readable_and_belongs_to_its_sites(
    session: Session, actor: Actor, now: datetime
) -> None:
    data = TokenIn(name="shop", scopes=[Scope.EVALUATE], origins=["https://Shop.example"])
    made = service.create_token(session, data, actor=actor, now=now)
    assert queries.tokens(session)[0].client_key == made.secret
    granted = service.grant(session, made.secret, now=now)
    assert granted.admits("https://shop.example")
    assert granted.admits("")
    assert not granted.admits("https://elsewhere.example")


def test_token__when_it_is_a_servers_or_for_any_site__then_every_origin_is_admitted(
    session: Session, actor: Actor, now: datetime
) -> None:
    for origins in ([], ["*"]):
        data = TokenIn(name="any", scopes=[Scope.INGEST], origins=origins)
        made = service.create_token(session, data, actor=actor, now=now)
        assert service.grant(session, made.secret, now=now).admits("https://elsewhere.example")


@pytest.mark.parametrize(
    ("scopes", "origins", "fix"),
    [
        ([Scope.EVALUATE, Scope.MANAGE], ["https://shop.example"], "evaluate and ingest only"),
        ([Scope.READ], ["*"], "evaluate and ingest only"),
        ([Scope.EVALUATE], ["shop.example"], "should match pattern"),
        ([Scope.EVALUATE], ["https://shop.example/path"], "should match pattern"),
    ],
)
def test_client_token__when_it_could_do_harm_or_names_no_origin__then_refused(
    scopes: list[Scope], origins: list[str], fix: str
) -> None:
    with pytest.raises(ValidationError, match=fix):
        TokenIn(name="shop", scopes=scopes, origins=origins)
