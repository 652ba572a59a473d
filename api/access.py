"""Who asks: a token as Bearer, as X-API-Key, or as Basic user name."""

from base64 import b64decode
from functools import lru_cache

from flask import g, request

from api.exchange import Headers, WsgiHeaders
from api.requests import runtime
from experiments.accounts import service
from experiments.accounts.schemas import PUBLIC_SCOPES, Grant, Scope
from experiments.audit.schemas import Actor
from experiments.database import reading
from experiments.errors import NotAllowedError, NotAuthenticatedError
from experiments.runtime import Runtime


def admit(secret: str, scope: Scope) -> Grant:
    """Remember the grant of this secret for the request, or refuse.

    Raises:
        NotAuthenticatedError: when there is no secret or it is not a living token's.
        NotAllowedError: when the token lacks the scope.
    """
    found = g.grant = granted(runtime(), secret, scope)
    return found


def granted(opened: Runtime, secret: str, scope: Scope) -> Grant:
    """The grant of this secret, outside of any framework.

    Raises:
        NotAuthenticatedError: when there is no secret or it is not a living token's.
        NotAllowedError: when the token lacks the scope.
    """
    if not secret:
        message = "Send an API token as 'Authorization: Bearer ...' or 'X-API-Key: ...'."
        raise NotAuthenticatedError(message)
    # Where a request must be quick what is held in memory is enough, and a second old at most.
    found = opened.rulesets.grant(secret, clock=opened.clock) if scope in PUBLIC_SCOPES else None
    if found is None:
        with reading(opened.engine) as session:
            found = service.grant(session, secret, now=opened.clock.now())
    if scope not in found.scopes:
        needed = f"a token with the scope '{scope}'"
        raise NotAllowedError(needed)
    return found


def actor() -> Actor:
    """In whose name the request acts."""
    granted: Grant = g.grant
    return granted.actor


def presented_secret() -> str:
    """The token in the headers of Flask's request, empty if there is none."""
    return secret_in(WsgiHeaders(request.environ))


def secret_in(headers: Headers) -> str:
    """The token in the headers, empty if there is none."""
    return _secret(headers.get("Authorization")) or headers.get("X-API-Key")


@lru_cache(maxsize=1024)
def _secret(authorization: str) -> str:
    kind, _, value = authorization.partition(" ")
    if kind.lower() == "bearer":
        return value.strip()
    if kind.lower() != "basic":
        return ""
    try:
        return b64decode(value, validate=True).decode().partition(":")[0]
    except ValueError:  # also what base64 and UTF-8 refuse
        return ""
