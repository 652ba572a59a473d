"""A view and its contract in one declaration: what it takes and gives is read off its signature.

    @blueprint.post("/layers")
    @endpoint(Scope.MANAGE, status=201)
    def create_layer(data: LayerIn) -> LayerOut:
        ...

An argument whose type is a `Query` comes from the address, one whose type is another `In` is the
body, the others are parts of the path. The OpenAPI document is made of the same facts, so that it
cannot say anything else than what happens.
"""

from collections.abc import Callable
from functools import update_wrapper
from typing import Any, get_type_hints
from urllib.parse import urlencode

from flask import Response, request

from api import idempotency, rate
from api.access import admit, presented_secret
from api.paging import Page, Query
from api.requests import body, json_bytes, query
from api.unchanged import tag
from experiments.accounts.schemas import Scope
from experiments.shapes import In, Out

View = Callable[..., Out | Response | None]
JSON = "application/json"


class Endpoint:
    """A view that authenticates, reads its arguments and writes its answer by its signature."""

    __name__: str

    def __init__(
        self,
        view: View,
        *,
        scope: Scope,
        status: int,
        media: str,
        versioned: bool,
        secret: bool,
    ) -> None:
        update_wrapper(self, view)
        hints = get_type_hints(view)
        self.view = view
        self.scope = scope
        self.status = status
        self.media = media
        self.versioned = versioned
        self.secret = secret
        self.gives: type[Any] = hints.pop("return")
        self.asks = _named(hints, Query)
        self.takes = _others(_named(hints, In), self.asks)
        self.parts = _others(hints, {**self.asks, **self.takes})

    def __call__(self, **path: object) -> Response:
        """Answer one request."""
        admit(presented_secret(), self.scope)
        if self.counted:
            rate.count()
        return idempotency.once(lambda: self._answer(**path), secret=self.secret)

    @property
    def counted(self) -> bool:
        """Whether calls are limited; asking what to show is as frequent as a site is busy."""
        return self.scope is not Scope.EVALUATE

    def _answer(self, **path: object) -> Response:
        asked = {name: query(kind) for name, kind in self.asks.items()}
        taken = {name: body(kind) for name, kind in self.takes.items()}
        return self._respond(self.view(**path, **asked, **taken))

    def _respond(self, result: Out | Response | None) -> Response:
        if isinstance(result, Response):
            return result
        if result is None:
            return Response(status=self.status)
        response = Response(json_bytes(result), self.status, mimetype=self.media)
        if isinstance(result, Page) and result.next_cursor:
            response.headers["Link"] = f'<{_following(result.next_cursor)}>; rel="next"'
        if self.versioned:
            response.set_etag(tag(result))
            if request.method == "GET" and request.if_none_match.contains_weak(tag(result)):
                return Response(status=304, headers={"ETag": response.headers["ETag"]})
        return response


def endpoint(
    scope: Scope,
    *,
    status: int = 200,
    media: str = JSON,
    versioned: bool = False,
    secret: bool = False,
) -> Callable[[View], Endpoint]:
    """Make a view answer tokens with this scope.

    Args:
        scope: what the token must be allowed.
        status: of the answer when all went well.
        media: type of the answer.
        versioned: the answer carries an `ETag`; where the view writes, it also calls
            `unchanged.check`, and callers must send `If-Match`.
        secret: the answer holds a secret, so that it is never kept to be told again.
    """

    def decorate(view: View) -> Endpoint:
        return Endpoint(
            view, scope=scope, status=status, media=media, versioned=versioned, secret=secret
        )

    return decorate


def _others(all_of: dict[str, Any], but: dict[str, Any]) -> dict[str, Any]:
    return {name: kind for name, kind in all_of.items() if name not in but}


def _named(hints: dict[str, Any], base: type[In]) -> dict[str, Any]:
    classes = {name: hint for name, hint in hints.items() if isinstance(hint, type)}
    return {name: hint for name, hint in classes.items() if issubclass(hint, base)}


def _following(cursor: str) -> str:
    given = [(name, value) for name, value in request.args.items(multi=True) if name != "cursor"]
    return f"{request.path}?{urlencode([*given, ('cursor', cursor)])}"
