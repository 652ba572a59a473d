"""A request and its answer without a framework: what the hot path and the Flask views share.

A view that is also on the hot path is a function from `Request` to `Reply`. The hot path calls it
straight from WSGI; a Flask view calls it through `flask_response`. So both give the same bytes.
Named tuples instead of dataclasses: a frozen dataclass costs three times as much to make, on
every request.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple, Protocol

from flask import Response, request
from werkzeug.exceptions import RequestEntityTooLarge

from experiments.errors import TooLargeError

LARGEST_BODY_BYTES = 5_000_000
HeaderList = tuple[tuple[str, str], ...]
_WITHOUT_PREFIX = frozenset({"CONTENT_TYPE", "CONTENT_LENGTH"})


class Headers(Protocol):
    """The headers of a request, looked up by name in any case."""

    def get(self, name: str, default: str = "", /) -> str:
        """The value of a header, or the default."""
        ...


class WsgiHeaders:
    """Headers read out of a WSGI environment only when somebody asks for them."""

    __slots__ = ("_environ",)

    def __init__(self, environ: Mapping[str, Any]) -> None:
        self._environ = environ

    def get(self, name: str, default: str = "", /) -> str:
        """The value of a header, or the default."""
        found: str = self._environ.get(_VARIABLES[name], default)
        return found


class Request(NamedTuple):
    """What was asked; `body` is read only when it is called, and bounded."""

    method: str
    path: str
    headers: Headers
    body: Callable[[], bytes]


class Reply(NamedTuple):
    """What is answered; `headers` holds no Content-Length, the server writes it."""

    status: int
    body: bytes = b""
    headers: HeaderList = ()


class _Variables(dict[str, str]):
    """The WSGI variable of each header that our own code asks for, worked out once."""

    def __missing__(self, name: str) -> str:
        """The variable of a header that was not asked for before."""
        key = name.upper().replace("-", "_")
        self[name] = key if key in _WITHOUT_PREFIX else f"HTTP_{key}"
        return self[name]


_VARIABLES = _Variables()


def wsgi_request(environ: Mapping[str, Any]) -> Request:
    """The request that a WSGI server hands over."""
    method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
    return Request(method, path, WsgiHeaders(environ), partial(_wsgi_body, environ))


def flask_response(answer: Callable[[Request], Reply]) -> Response:
    """Flask's form of what `answer` says to the request that Flask is serving."""
    headers = WsgiHeaders(request.environ)
    reply = answer(Request(request.method, request.path, headers, _flask_body))
    response = Response(reply.body, reply.status, list(reply.headers))
    if all(name != "Content-Type" for name, _ in reply.headers):
        del response.headers["Content-Type"]  # Flask's own idea of what an empty answer is
    return response


def _wsgi_body(environ: Mapping[str, Any]) -> bytes:
    told = environ.get("CONTENT_LENGTH") or ""
    length = int(told) if told.isdigit() else None
    if length is not None and length > LARGEST_BODY_BYTES:
        raise _too_large()
    data: bytes = environ["wsgi.input"].read(LARGEST_BODY_BYTES + 1 if length is None else length)
    if len(data) > LARGEST_BODY_BYTES:
        raise _too_large()
    return data


def _flask_body() -> bytes:
    try:
        return request.get_data()
    except RequestEntityTooLarge as error:
        raise _too_large() from error


def _too_large() -> TooLargeError:
    return TooLargeError(f"The body has more than {LARGEST_BODY_BYTES} bytes.")
