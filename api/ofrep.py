"""OFREP 0.3.0, the OpenFeature Remote Evaluation Protocol: one flag, or all of them with an ETag.

The rules were found by running real clients: a 304 only for the same answer, never 422, never
`value: null`, floats with a fraction, a variant and a reason always, no redirects, and the CORS
headers on every answer, errors too.
"""

from functools import lru_cache
from typing import Any

import orjson
from flask import Blueprint, Response
from pydantic import TypeAdapter, ValidationError

from api.access import granted, secret_in
from api.errors import status_of
from api.exchange import Headers, Reply, Request, flask_response
from api.freshness import is_known
from api.previews import previewed
from api.requests import runtime
from api.sheet import Sheet
from experiments.accounts.schemas import Scope
from experiments.assignment.schemas import VisitorId
from experiments.errors import DesirelineError, TooLargeError
from experiments.logs import logger
from experiments.resolution.evaluation import Answered, answers, evaluate
from experiments.resolution.flags import Evaluation, Flag, flags
from experiments.resolution.resolver import Asker
from experiments.resolution.ruleset import Ruleset
from experiments.runtime import Runtime

PREFIX = "/ofrep/v1/evaluate/flags"
CORS = (
    ("Access-Control-Allow-Origin", "*"),
    ("Access-Control-Expose-Headers", "ETag, Retry-After"),
)
PREFLIGHT = (
    *CORS,
    ("Access-Control-Allow-Headers", "authorization, content-type, if-none-match, x-api-key"),
    ("Access-Control-Allow-Methods", "POST, OPTIONS"),
    ("Access-Control-Max-Age", "86400"),
)
PREVIEW = "desireline_preview"
"""The attribute of the context, and the parameter of a page, that carries a preview."""
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
JSON = ("Content-Type", "application/json")

blueprint = Blueprint("ofrep", __name__)
log = logger("ofrep")
_visitor = TypeAdapter(VisitorId).validator


class FailedError(Exception):
    """An evaluation that cannot be made, in the words of the protocol."""

    def __init__(self, code: str, detail: str, status: int = 400) -> None:
        self.code = code
        self.detail = detail
        self.status = status
        super().__init__(detail)


@blueprint.route(f"{PREFIX}/<key>", methods=["POST", "OPTIONS"])
def evaluate_flag(key: str) -> Response:  # noqa: ARG001 (the route's part; `answer` reads the path)
    """One flag; counts the exposure where the touchpoint says that showing is seeing."""
    return flask_response(lambda request: answer(runtime(), request))


@blueprint.route(PREFIX, methods=["POST", "OPTIONS"])
def evaluate_flags() -> Response:
    """Every flag at once, never an exposure; 304 when the answer is the one the client has."""
    return flask_response(lambda request: answer(runtime(), request))


@blueprint.route("/ofrep/<path:rest>", methods=METHODS)
def elsewhere(rest: str) -> Response:  # noqa: ARG001 (the route's part)
    """Whatever else is under the prefix: refused in the words of the protocol."""
    return flask_response(lambda request: answer(runtime(), request))


def route_of(path: str) -> str:
    """The template of the route that a path belongs to, for counting."""
    if path.rstrip("/") == PREFIX:
        return PREFIX
    return f"{PREFIX}/<key>" if path.startswith(f"{PREFIX}/") else "/ofrep/<path:rest>"


def answer(opened: Runtime, request: Request) -> Reply:
    """Answer one request below `/ofrep/`, without a framework."""
    path = request.path.rstrip("/")
    key = path.removeprefix(f"{PREFIX}/") if path.startswith(f"{PREFIX}/") else ""
    if request.method == "OPTIONS":
        return Reply(204, b"", PREFLIGHT)
    if path != PREFIX and not key:
        return _failure(404, key, "GENERAL", "there is no such address; see the OFREP reference")
    if request.method != "POST":
        return _failure(405, key, "GENERAL", "use POST")
    try:
        _admit(opened, request.headers)
        return _one(opened, key, request) if key else _all(opened, request)
    except FailedError as error:
        return _failure(error.status, key, error.code, error.detail)
    except DesirelineError as error:
        return _refused(error, key)
    except Exception:
        log.exception("unforeseen error", path=request.path)
        return _reply(500, {"errorDetails": "something went wrong on our side; the log has it"})


def _admit(opened: Runtime, headers: Headers) -> None:
    grant = granted(opened, secret_in(headers), Scope.EVALUATE)
    origin = headers.get("Origin")
    if not grant.admits(origin):
        detail = f"the token is not for pages of {origin}; add the origin to a client token"
        raise FailedError("GENERAL", detail, 403)


def _one(opened: Runtime, key: str, request: Request) -> Reply:
    asker = _asker(opened, request.body())
    ruleset = opened.rulesets.current()
    flag = flags(ruleset).get(key)
    if flag is None:
        raise FailedError("FLAG_NOT_FOUND", f"there is no flag {key!r}", 404)
    if _needs_visitor(flag, asker):
        raise FailedError("TARGETING_KEY_MISSING", _missing(flag))
    resolved = evaluate(opened.resolver, ruleset, flag, asker, now=opened.clock.now())
    body = _sheet(ruleset).one(flag, resolved)
    if not body:
        raise FailedError("FLAG_NOT_FOUND", f"nothing approved is shown in {key!r}", 404)
    return Reply(200, body, (*CORS, JSON))


def _all(opened: Runtime, request: Request) -> Reply:
    asker = _asker(opened, request.body())
    ruleset = opened.rulesets.current()
    if asker.forced is not None:
        return _previewed(opened, ruleset, asker)
    body, tag = _sheet(ruleset).fill(opened.resolver.look(ruleset, asker))
    if is_known(request.headers.get("If-None-Match"), tag):
        return Reply(304, b"", (*CORS, ("ETag", tag)))
    return Reply(200, body, (*CORS, JSON, ("ETag", tag)))


def _previewed(opened: Runtime, ruleset: Ruleset, asker: Asker) -> Reply:
    """Every flag as a preview shows it, written for this one request and kept by nobody."""
    question = opened.resolver.look(ruleset, asker)
    told = (
        _said(found, asker.visitor is not None)
        for found in map(Answered._make, answers(ruleset, question))
    )
    return _reply(200, {"flags": [item for item in told if item is not None], "metadata": {}})


@lru_cache(maxsize=2)
def _sheet(ruleset: Ruleset) -> Sheet:
    return Sheet(ruleset, _said)


def _said(answered: Answered, is_somebody: bool) -> dict[str, Any] | None:  # noqa: FBT001 (the sheet's order)
    flag, found = answered
    if flag.experiment is not None and not is_somebody:
        return _error(flag.key, "TARGETING_KEY_MISSING", _missing(flag))
    return None if found is None else _document(found)


def _asker(opened: Runtime, body: bytes) -> Asker:
    try:
        document = orjson.loads(body or b"{}")
    except orjson.JSONDecodeError as error:
        raise FailedError("PARSE_ERROR", f"the body is not valid JSON: {error}") from error
    if not isinstance(document, dict):
        raise FailedError("PARSE_ERROR", "the body must be an object with a context")
    context = document.get("context") or {}
    if not isinstance(context, dict):
        raise FailedError("INVALID_CONTEXT", "context must be an object of attributes")
    told = context.pop("targetingKey", None)
    carried = context.pop(PREVIEW, None)
    forced = previewed(opened, str(carried)) if carried else None
    if not told:
        return Asker(None, context, forced)
    try:
        return Asker(_visitor.validate_python(told, strict=True), context, forced)
    except ValidationError as error:
        detail = f"targetingKey: {error.errors()[0]['msg']}"
        raise FailedError("INVALID_CONTEXT", detail) from error


def _needs_visitor(flag: Flag, asker: Asker) -> bool:
    return flag.experiment is not None and asker.visitor is None


def _missing(flag: Flag) -> str:
    return f"{flag.key!r} is an experiment: send context.targetingKey, the id of the visitor"


def _document(found: Evaluation) -> dict[str, Any]:
    return {
        "key": found.key,
        "value": found.value,
        "variant": found.variant,
        "reason": found.reason,
        "metadata": found.metadata,
    }


def _refused(error: DesirelineError, key: str) -> Reply:
    if isinstance(error, TooLargeError):
        return _failure(400, key, "PARSE_ERROR", str(error))
    status = status_of(error)
    return _failure(400 if status == 422 else status, key, "GENERAL", str(error))


def _failure(status: int, key: str, code: str, detail: str) -> Reply:
    return _reply(status, _error(key, code, detail))


def _error(key: str, code: str, detail: str) -> dict[str, str]:
    return {"key": key, "errorCode": code, "errorDetails": detail}


def _reply(status: int, document: object) -> Reply:
    return Reply(status, orjson.dumps(document), (*CORS, JSON))
