"""Who is looking: a signed session cookie names a person, and their role opens pages."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeAlias
from urllib.parse import urlsplit

from flask import g, redirect, request, session, url_for
from werkzeug.wrappers import Response

from experiments.accounts import queries
from experiments.accounts.schemas import Role, UserOut
from experiments.audit.schemas import Actor, ActorKind
from experiments.database import reading
from experiments.errors import NotAllowedError, NotFoundError
from web.requests import own_runtime

USER = "user_id"
Arguments = ParamSpec("Arguments")
Page: TypeAlias = str | Response | tuple[str, int]
View = Callable[Arguments, Page]


def needs(role: Role) -> Callable[[View[Arguments]], View[Arguments]]:
    """Open a page only to people with this role; whoever is not signed in is asked to."""

    def decorate(view: View[Arguments]) -> View[Arguments]:
        @wraps(view)
        def guarded(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Page:
            found = user()
            if found is None:
                return redirect(url_for("login.form", next=_here()))
            if not found.role.includes(role):
                needed = f"the role '{role}'; you have '{found.role}'"
                raise NotAllowedError(needed)
            return view(*args, **kwargs)

        return guarded

    return decorate


def sign_in(who: UserOut) -> None:
    """Begin a session of this person, with nothing left of an earlier one."""
    session.clear()
    session[USER] = who.id


def sign_out() -> None:
    """End the session."""
    session.clear()


def user() -> UserOut | None:
    """The person signed in, looked up once per request; a disabled person is nobody."""
    if "user" not in g:
        g.user = _find(session.get(USER))
    found: UserOut | None = g.user
    return found


def person() -> UserOut:
    """The person signed in, on pages that need one.

    Raises:
        NotAllowedError: when nobody is.
    """
    found = user()
    if found is None:
        needed = "somebody signed in"
        raise NotAllowedError(needed)
    return found


def actor() -> Actor:
    """In whose name the request acts."""
    return Actor(kind=ActorKind.PERSON, name=person().email)


def context() -> dict[str, object]:
    """What every template may ask about the person."""
    return {"user": user(), "may": _may}


def is_local(address: str) -> bool:
    """Whether an address leads to a page of ours, so that sign-in may continue there."""
    parts = urlsplit(address)
    ours = not parts.scheme and not parts.netloc
    return ours and address.startswith("/") and "\\" not in address


def _may(role: str) -> bool:
    found = user()
    return found is not None and found.role.includes(Role(role))


def _find(user_id: int | None) -> UserOut | None:
    if user_id is None:
        return None
    try:
        with reading(own_runtime().engine) as storage:
            found = queries.user(storage, user_id)
    except NotFoundError:
        return None
    return found if found.disabled_at is None else None


def _here() -> str:
    return request.full_path.rstrip("?") if request.method == "GET" else url_for("home.page")
