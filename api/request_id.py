"""The id under which the log tells of a request: the caller's own, or one made for it."""

import re
from uuid import uuid4

from flask import Response, g, request

from experiments import logs

HEADER = "X-Request-Id"
ACCEPTED = re.compile(r"[A-Za-z0-9._-]{1,64}")


def begin() -> None:
    """Let every log line of this request carry its id."""
    given = request.headers.get(HEADER, "")
    g.request_id = given if ACCEPTED.fullmatch(given) else uuid4().hex
    logs.begin(request_id=g.request_id)


def current() -> str:
    """The id of this request."""
    found: str = g.request_id
    return found


def tell(response: Response) -> Response:
    """Add the id to an answer."""
    response.headers[HEADER] = current()
    return response
