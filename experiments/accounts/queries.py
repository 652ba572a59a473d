"""Reading people and tokens."""

from sqlmodel import Session, col, select

from experiments.accounts.models import ApiToken, User
from experiments.accounts.schemas import TokenOut, UserOut
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
