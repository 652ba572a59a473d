"""Reading people and tokens."""

from sqlmodel import Session, col, select

from experiments.accounts.models import ApiToken, User
from experiments.accounts.schemas import Grant, Scope, StandingGrant, TokenOut, UserOut
from experiments.audit.schemas import Actor, ActorKind
from experiments.errors import NotFoundError


def user(session: Session, user_id: int) -> UserOut:
    """One person."""
    found = session.get(User, user_id)
    if found is None:
        raise NotFoundError("person", user_id)
    return UserOut.model_validate(found)


def users(session: Session) -> list[UserOut]:
    """Everybody, in order of e-mail."""
    return [UserOut.model_validate(row) for row in session.exec(select(User).order_by(User.email))]


def tokens(session: Session) -> list[TokenOut]:
    """Every token, the newest first."""
    newest_first = select(ApiToken).order_by(col(ApiToken.id).desc())
    return [TokenOut.model_validate(row) for row in session.exec(newest_first)]


def grants(session: Session) -> dict[str, StandingGrant]:
    """What every token that was not revoked may do, by the hash of its secret."""
    living = select(ApiToken).where(col(ApiToken.revoked_at).is_(None))
    return {
        token.secret_hash: StandingGrant(grant=grant_of(token), expires_at=token.expires_at)
        for token in session.exec(living)
    }


def grant_of(token: ApiToken) -> Grant:
    """What the bearer of a token may do."""
    return Grant(
        token_id=token.id or 0,
        actor=Actor(kind=ActorKind.TOKEN, name=token.name),
        scopes=frozenset(Scope(scope) for scope in token.scopes),
        origins=frozenset(token.origins),
    )
