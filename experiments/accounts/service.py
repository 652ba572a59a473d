"""People and tokens: made, authenticated, changed, ended."""

import secrets
from datetime import datetime

from sqlmodel import Session, col, select

from experiments.accounts.models import ApiToken, User
from experiments.accounts.passwords import hash_password, hash_secret, new_secret, password_fits
from experiments.accounts.queries import grant_of
from experiments.accounts.schemas import Grant, NewTokenOut, Role, TokenIn, UserIn, UserOut
from experiments.audit.schemas import Actor, ActorKind
from experiments.audit.service import record
from experiments.errors import (
    ConflictError,
    InvalidError,
    NotAuthenticatedError,
    NotFoundError,
)

TOKEN_PREFIX = "dl"  # noqa: S105 (the start of every token, not a secret)
CLIENT_PREFIX = "dlc"
PREFIX_SHOWN = 7
MINIMUM_PASSWORD = 12
FIRST_ADMIN = "admin@localhost"


def create_user(session: Session, data: UserIn, *, actor: Actor, now: datetime) -> UserOut:
    """Add a person.

    Raises:
        ConflictError: when the e-mail is taken.
    """
    if session.exec(select(User).where(User.email == data.email)).first():
        message = f"There is already a person with the e-mail {data.email}."
        raise ConflictError(message)
    user = User(
        email=data.email,
        name=data.name,
        role=data.role,
        password_hash=hash_password(data.password),
        created_at=now,
    )
    session.add(user)
    _record(session, user, "user.created", actor=actor, now=now, detail={"role": data.role})
    return UserOut.model_validate(user)


def first_admin(session: Session, *, now: datetime) -> str | None:
    """Add an administrator when there is nobody yet; returns the password, shown only once."""
    if session.exec(select(User.id).limit(1)).first() is not None:
        return None
    password = secrets.token_urlsafe(12)
    data = UserIn(email=FIRST_ADMIN, name="Administrator", role=Role.ADMIN, password=password)
    create_user(session, data, actor=Actor(kind=ActorKind.OPERATOR, name="first run"), now=now)
    return password


def authenticate(session: Session, email: str, password: str) -> UserOut:
    """The person of that e-mail and password.

    Raises:
        NotAuthenticatedError: with one sentence for every reason, so that nothing is revealed.
    """
    user = session.exec(select(User).where(User.email == email.strip().lower())).first()
    active = user if user is not None and user.disabled_at is None else None
    if not password_fits(active.password_hash if active else None, password) or active is None:
        message = "The e-mail or the password is wrong."
        raise NotAuthenticatedError(message)
    return UserOut.model_validate(active)


def set_role(session: Session, user_id: int, role: Role, *, actor: Actor, now: datetime) -> UserOut:
    """Change what a person may do.

    Raises:
        ConflictError: when nobody would be left who can administer.
    """
    user = _user(session, user_id)
    if role is not Role.ADMIN:
        _keep_an_admin(session, user)
    user.role = role
    _record(session, user, "user.role_changed", actor=actor, now=now, detail={"role": role})
    return UserOut.model_validate(user)


def disable_user(session: Session, user_id: int, *, actor: Actor, now: datetime) -> UserOut:
    """Shut a person out; what they did stays in the audit trail.

    Raises:
        ConflictError: when nobody would be left who can administer.
    """
    user = _user(session, user_id)
    _keep_an_admin(session, user)
    user.disabled_at = user.disabled_at or now
    _record(session, user, "user.disabled", actor=actor, now=now)
    return UserOut.model_validate(user)


def change_password(
    session: Session, user_id: int, password: str, *, actor: Actor, now: datetime
) -> None:
    """Give a person another password.

    Raises:
        InvalidError: when it is too short.
    """
    if len(password) < MINIMUM_PASSWORD:
        detail = f"use at least {MINIMUM_PASSWORD} characters"
        raise InvalidError.at("/password", detail)
    user = _user(session, user_id)
    user.password_hash = hash_password(password)
    _record(session, user, "user.password_changed", actor=actor, now=now)


def create_token(session: Session, data: TokenIn, *, actor: Actor, now: datetime) -> NewTokenOut:
    """Make a token; a server's secret is in the answer and nowhere else."""
    prefix = CLIENT_PREFIX if data.origins else TOKEN_PREFIX
    secret = new_secret(prefix)
    token = ApiToken(
        name=data.name,
        prefix=secret[: len(prefix) + PREFIX_SHOWN],
        secret_hash=hash_secret(secret),
        scopes=sorted(set(data.scopes)),
        origins=sorted(set(data.origins)),
        client_key=secret if data.origins else "",
        created_by=str(actor),
        created_at=now,
        expires_at=data.expires_at,
    )
    session.add(token)
    detail = {"scopes": token.scopes, "origins": token.origins}
    record(
        session,
        "token.created",
        subject=("token", data.name),
        actor=actor,
        now=now,
        detail=detail,
    )
    return NewTokenOut.model_validate({**token.model_dump(), "secret": secret})


def revoke_token(session: Session, token_id: int, *, actor: Actor, now: datetime) -> None:
    """End a token; ending it twice changes nothing."""
    token = session.get(ApiToken, token_id)
    if token is None:
        raise NotFoundError("token", token_id)
    if token.revoked_at is None:
        token.revoked_at = now
        record(session, "token.revoked", subject=("token", token.name), actor=actor, now=now)


def grant(session: Session, secret: str, *, now: datetime) -> Grant:
    """What the bearer of the secret may do.

    Raises:
        NotAuthenticatedError: when the token is unknown, expired or revoked.
    """
    found = select(ApiToken).where(ApiToken.secret_hash == hash_secret(secret))
    token = session.exec(found).first()
    expired = token is not None and token.expires_at is not None and token.expires_at <= now
    if token is None or token.revoked_at is not None or expired:
        message = "The token is unknown, expired or revoked."
        raise NotAuthenticatedError(message)
    return grant_of(token)


def _user(session: Session, user_id: int) -> User:
    user = session.get(User, user_id)
    if user is None:
        raise NotFoundError("person", user_id)
    return user


def _keep_an_admin(session: Session, user: User) -> None:
    others = (
        select(User.id)
        .where(User.role == Role.ADMIN, col(User.disabled_at).is_(None))
        .where(User.id != user.id)
        .with_for_update()
    )
    if user.role == Role.ADMIN and session.exec(others).first() is None:
        message = f"{user.email} is the last administrator; make somebody else one first."
        raise ConflictError(message)


def _record(
    session: Session,
    user: User,
    action: str,
    *,
    actor: Actor,
    now: datetime,
    detail: dict[str, str] | None = None,
) -> None:
    record(session, action, subject=("user", user.email), actor=actor, now=now, detail=detail)
