"""A form is accepted only from a page that we gave to the same session."""

import secrets
from hmac import compare_digest

from flask import request, session

from experiments.errors import NotAllowedError

FIELD = "csrf_token"
CHANGING = frozenset({"POST", "PUT", "PATCH", "DELETE"})


def token() -> str:
    """The secret of this session, made on first use; every form carries it."""
    if FIELD not in session:
        session[FIELD] = secrets.token_urlsafe(24)
    found: str = session[FIELD]
    return found


def check() -> None:
    """Refuse a change whose form does not carry the session's secret.

    Raises:
        NotAllowedError: when the secret is missing or another one.
    """
    if request.method not in CHANGING:
        return
    expected = session.get(FIELD, "")
    if not expected or not compare_digest(expected, request.form.get(FIELD, "")):
        needed = "a form from this session; load the page again and repeat"
        raise NotAllowedError(needed)
