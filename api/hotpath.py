"""The hot path: evaluation and ingestion straight from WSGI, everything else by Flask.

Flask spends several times as long on a request as the answer takes. This callable stands in front
of it and calls the same functions that the Flask views call, so that there is one implementation
of authentication, evaluation and errors. What it does not know, or only Flask can refuse in words,
it hands on untouched.
"""

from collections.abc import Callable, Iterable
from http import HTTPStatus
from io import BytesIO
from time import perf_counter
from typing import TYPE_CHECKING, Any

from flask import Flask

from api import ofrep, resolve, tracking
from api.exchange import Reply, Request, wsgi_request
from api.gate import Gate
from api.meter import note
from experiments.errors import DesirelineError
from experiments.runtime import Runtime

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

METHODS = frozenset({"POST", "OPTIONS"})
STATUS_LINES = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}
WITHOUT_BODY = frozenset({204, 304})
RESOLVE = "/api/v1/resolve"

Answer = Callable[[Runtime, Request], Reply]


class HotPath:
    """A WSGI application in front of another."""

    def __init__(self, app: Flask) -> None:
        self.behind: WSGIApplication = Gate(app.wsgi_app)
        self._opened: Runtime = app.extensions["desireline"]

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Answer one request."""
        path, method = environ["PATH_INFO"], environ["REQUEST_METHOD"]
        if method not in METHODS:
            return self.behind(environ, start_response)
        if path.startswith("/ofrep/"):
            return self._replied(ofrep.answer, ofrep.route_of(path), environ, start_response)
        if path.startswith("/v1/"):
            return self._replied(tracking.answer, "/v1/<path:rest>", environ, start_response)
        if path == RESOLVE and method == "POST" and "HTTP_IDEMPOTENCY_KEY" not in environ:
            return self._resolved(environ, start_response)
        return self.behind(environ, start_response)

    def _replied(
        self,
        answer: Answer,
        route: str,
        /,
        environ: "WSGIEnvironment",
        start_response: "StartResponse",
    ) -> Iterable[bytes]:
        began = perf_counter()
        reply = answer(self._opened, wsgi_request(environ))
        note(route, environ["REQUEST_METHOD"], reply.status, seconds=perf_counter() - began)
        return _sent(reply, start_response)

    def _resolved(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """A resolve; whatever is wrong with it Flask finds out again and says in full."""
        began = perf_counter()
        request = wsgi_request(environ)
        body = b""
        try:
            body = request.body()
            reply = resolve.answer(self._opened, request._replace(body=lambda: body))
        except DesirelineError:
            environ["wsgi.input"] = BytesIO(body)
            return self.behind(environ, start_response)
        note(RESOLVE, "POST", reply.status, seconds=perf_counter() - began)
        return _sent(reply, start_response)


def mount(app: Flask) -> None:
    """Put the hot path in front of an application."""
    app.wsgi_app = HotPath(app)  # type: ignore[method-assign] # Flask's documented way to wrap it


def _sent(reply: Reply, start_response: "StartResponse") -> list[bytes]:
    headers: list[tuple[str, Any]] = list(reply.headers)
    if reply.status not in WITHOUT_BODY:
        headers.append(("Content-Length", str(len(reply.body))))
    start_response(STATUS_LINES[reply.status], headers)
    return [reply.body]
