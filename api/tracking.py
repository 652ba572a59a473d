"""Events in the shape of Segment's tracking API, so that its clients work unchanged.

The rules were found by running real clients: exactly 200 with a JSON body, never a redirect, no
regard for Content-Type, any origin, and 4xx only for what is the sender's own mistake.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import orjson
from flask import Blueprint, Response
from flask import request as flask_request

from api.access import granted, secret_in
from api.errors import status_of
from api.exchange import HeaderList, Headers, Reply, Request, flask_response
from api.requests import runtime
from experiments.accounts.schemas import Grant, Scope
from experiments.errors import (
    DesirelineError,
    InvalidError,
    NotAllowedError,
    NotFoundError,
    TooOftenError,
)
from experiments.events.decoding import Document, decode
from experiments.events.parcels import pack
from experiments.logs import logger
from experiments.runtime import Runtime

PREFIX = "/v1/"
NAMES = ("track", "identify", "page", "screen", "group", "alias")
SINGLE = {**{name: name for name in NAMES}, **{name[0]: name for name in NAMES}}
SEVERAL = frozenset({"batch", "b", "import"})
DROPPED = "m"  # what the browser library measures of itself
SETTINGS_OF = ("projects", "settings")
SHARED_BY_BATCH = ("context", "sentAt")
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
PREFLIGHT_SECONDS = "86400"
CORS: HeaderList = (
    ("Content-Type", "application/json"),
    ("Access-Control-Allow-Origin", "*"),
)
SUCCESS = Reply(200, b'{"success":true}', CORS)

blueprint = Blueprint("tracking", __name__)
log = logger("tracking")


@blueprint.route("/v1/<path:rest>", methods=METHODS)
def track(rest: str) -> Response:  # noqa: ARG001 (the route's part; `answer` reads the path)
    """Everything that Segment's clients call."""
    return flask_response(lambda request: answer(runtime(), request))


@blueprint.route("/sourceConfig/", methods=["GET", "OPTIONS"])
def source_config() -> Response:
    """What RudderStack's browser library asks before it sends anything."""
    if flask_request.method == "OPTIONS":
        return flask_response(lambda request: _preflight(request.headers))
    in_address = flask_request.args.get("writeKey", "")
    return flask_response(
        lambda request: _guarded(request, lambda: _source(runtime(), request, in_address))
    )


def answer(opened: Runtime, request: Request) -> Reply:
    """Answer one request below `/v1/`, without a framework."""
    if request.method == "OPTIONS":
        return _preflight(request.headers)
    return _guarded(request, lambda: _route(opened, request))


def _guarded(request: Request, reply: Callable[[], Reply]) -> Reply:
    """The reply, or what went wrong as these clients read it: a code and a message."""
    try:
        return reply()
    except InvalidError as error:
        return _refusal("invalid", str(error), 400)
    except TooOftenError as error:
        refused = _refusal("too_often", str(error), 429)
        wait = ("Retry-After", str(error.seconds))
        return refused._replace(headers=(*refused.headers, wait))
    except DesirelineError as error:
        code = type(error).__name__.removesuffix("Error").lower()
        return _refusal(code, str(error), status_of(error))
    except Exception:
        log.exception("unforeseen error", path=request.path)
        return _refusal("internal", "Something went wrong on our side; the log has it.", 500)


def _route(opened: Runtime, request: Request) -> Reply:
    call = request.path.removeprefix(PREFIX).strip("/")
    if call in SINGLE or call in SEVERAL or call == DROPPED:
        if request.method != "POST":
            return _refusal("method", "Use POST.", 405)
        return _taken(opened, request, call)
    first, _, rest = call.partition("/")
    key, _, last = rest.partition("/")
    if (first, last) == SETTINGS_OF:
        return _settings(opened, key)
    raise NotFoundError("call", f"{PREFIX}{call}")


def _taken(opened: Runtime, request: Request, call: str) -> Reply:
    """Store what one request brings.

    What the database refuses for ever is acknowledged as rejected and kept with the reason: these
    clients would send it again without end.
    """
    if call == DROPPED:
        return SUCCESS
    document = decode(request.body())
    grant = _grant(opened, request.headers, document)
    opened.pace.keep(grant.token_id)
    privacy = _privacy(request.headers)
    if privacy and opened.settings.honour_opt_out:
        return SUCCESS
    parcel = pack(
        _calls(document.fields, call),
        source_key=f"token:{grant.token_id}",
        received_at=opened.clock.now(),
        is_clean=document.is_clean,
        privacy=privacy,
    )
    outcome = opened.commits.store(opened.events, parcel, size=parcel.size)
    if not outcome.rejected:
        return SUCCESS
    if call in SINGLE:
        return _refusal("invalid", outcome.rejected[0].error, 400)
    listed = [item.model_dump() for item in outcome.rejected]
    return _reply({"success": True, "rejected": listed}, 200)


def _calls(fields: dict[str, Any], call: str) -> Sequence[object]:
    """The calls in a body; those of a batch share what the batch says of them all."""
    if call in SINGLE:
        return [{**fields, "type": SINGLE[call]}]
    calls = fields.get("batch")
    if not isinstance(calls, list):
        raise InvalidError.at("/batch", "is required: a list of calls")
    shared = {key: fields[key] for key in SHARED_BY_BATCH if key in fields}
    if call == "import":
        shared["channel"] = "import"
    for item in calls:
        if isinstance(item, dict):
            for key, said in shared.items():
                item.setdefault(key, said)
    return calls


def _grant(opened: Runtime, headers: Headers, document: Document) -> Grant:
    in_body = document.fields.get("writeKey")
    secret = secret_in(headers) or (in_body if isinstance(in_body, str) else "")
    return _admitted(opened, headers, secret)


def _admitted(opened: Runtime, headers: Headers, secret: str) -> Grant:
    grant = granted(opened, secret, Scope.INGEST)
    origin = headers.get("Origin")
    if not grant.admits(origin):
        needed = f"a token for pages of {origin}"
        raise NotAllowedError(needed)
    return grant


def _privacy(headers: Headers) -> str:
    """What the visitor's browser asked for: nothing, or the signal."""
    if headers.get("Sec-GPC") == "1":
        return "gpc"
    return "dnt" if headers.get("DNT") == "1" else ""


def _settings(opened: Runtime, key: str) -> Reply:
    """What Segment's browser library asks before it sends anything."""
    granted(opened, key, Scope.INGEST)
    address = urlsplit(opened.settings.base_url)
    ours = {
        "apiKey": key,
        "apiHost": f"{address.netloc}{address.path.rstrip('/')}/v1",
        "protocol": address.scheme,
    }
    return _reply({"integrations": {"Segment.io": ours}, "plan": {}, "metrics": {}}, 200)


def _source(opened: Runtime, request: Request, in_address: str) -> Reply:
    key = secret_in(request.headers) or in_address
    grant = _admitted(opened, request.headers, key)
    silent = {"enabled": False}
    source = {
        "id": str(grant.token_id),
        "name": grant.actor.name,
        "writeKey": key,
        "enabled": True,
        "workspaceId": "desireline",
        "destinations": [],
        "config": {"statsCollection": {"errors": silent, "metrics": silent}},
        "dataplanes": {},
    }
    return _reply({"source": source, "updatedAt": opened.clock.now().isoformat()}, 200)


def _preflight(headers: Headers) -> Reply:
    asked = headers.get("Access-Control-Request-Headers") or "authorization,content-type"
    allowed = (
        ("Access-Control-Allow-Headers", asked),
        ("Access-Control-Allow-Methods", "GET, POST, OPTIONS"),
        ("Access-Control-Max-Age", PREFLIGHT_SECONDS),
    )
    return Reply(200, b"", (*CORS, *allowed))


def _refusal(code: str, message: str, status: int) -> Reply:
    return _reply({"success": False, "code": code, "message": message}, status)


def _reply(document: Mapping[str, object], status: int) -> Reply:
    return Reply(status, orjson.dumps(document), CORS)
