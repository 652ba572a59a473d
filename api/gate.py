"""The door to Flask: whole requests only, and not more at once than it can answer in time.

The server has a thread for hundreds of slow clients. Pages and reports must not be worked out
hundreds at a time, so that a request is first taken in whole, which may last, and then waits for
one of a few places. Whoever finds none is sent away at once instead of waiting without end.
"""

from collections.abc import Iterable
from io import BytesIO
from threading import Semaphore
from typing import TYPE_CHECKING
from uuid import uuid4

from api.errors import PROBLEM_JSON, ProblemOut
from api.exchange import LARGEST_BODY_BYTES
from api.meter import ELSEWHERE, note

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

PLACES = 32
RETRY = ("Retry-After", "1")
PATIENCE_SECONDS = 5.0
BUSY = "Too many others are asking; try again in a moment."


class Gate:
    """A WSGI application behind which only so many requests are answered at once."""

    def __init__(
        self,
        behind: "WSGIApplication",
        *,
        places: int = PLACES,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        self._behind = behind
        self._places = Semaphore(places)
        self._patience_seconds = patience_seconds

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Answer one request, or say that there are too many."""
        _take_in(environ)
        if not self._places.acquire(timeout=self._patience_seconds):
            note(ELSEWHERE, environ["REQUEST_METHOD"], 503, seconds=self._patience_seconds)
            kind, body = _refusal(environ["PATH_INFO"])
            about = [("Content-Type", kind), ("Content-Length", str(len(body))), RETRY]
            start_response("503 Service Unavailable", about)
            return [body]
        try:
            return self._behind(environ, start_response)
        finally:
            self._places.release()


def _refusal(path: str) -> tuple[str, bytes]:
    """What those are told who find no place: programs a problem, people a sentence."""
    if not path.startswith("/api/"):
        return "text/plain", BUSY.encode()
    told = ProblemOut(
        status=503, title="Overloaded", detail=BUSY, request_id=uuid4().hex, errors=[]
    )
    return PROBLEM_JSON, told.model_dump_json().encode()


def _take_in(environ: "WSGIEnvironment") -> None:
    """Have the body in memory; what is too large by its own word is left for Flask to refuse."""
    told = environ.get("CONTENT_LENGTH") or ""
    if told.isdigit() and int(told) <= LARGEST_BODY_BYTES:
        environ["wsgi.input"] = BytesIO(environ["wsgi.input"].read(int(told)))
    elif not told and "HTTP_TRANSFER_ENCODING" in environ:
        environ["wsgi.input"] = BytesIO(environ["wsgi.input"].read(LARGEST_BODY_BYTES + 1))
