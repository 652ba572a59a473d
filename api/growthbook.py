"""The payload with which GrowthBook's SDKs evaluate by themselves, unchanged."""

import orjson
from flask import Blueprint, Response

from api.access import granted
from api.exchange import Reply, Request, flask_response
from api.freshness import etag, is_known
from api.requests import runtime
from experiments.accounts.schemas import Scope
from experiments.errors import NotAllowedError, NotAuthenticatedError
from experiments.resolution.payload import payload
from experiments.resolution.ruleset import Ruleset
from experiments.runtime import Runtime

PREFIX = "/api/features/"
CORS = (
    ("Access-Control-Allow-Origin", "*"),
    ("Access-Control-Expose-Headers", "ETag"),
)
PREFLIGHT = (
    *CORS,
    ("Access-Control-Allow-Headers", "if-none-match, content-type"),
    ("Access-Control-Allow-Methods", "GET, OPTIONS"),
    ("Access-Control-Max-Age", "86400"),
)
CACHE = ("Cache-Control", "public, max-age=30, stale-while-revalidate=3600")
JSON = ("Content-Type", "application/json")

blueprint = Blueprint("growthbook", __name__)


@blueprint.route(f"{PREFIX}<client_key>", methods=["GET", "OPTIONS"])
def features(client_key: str) -> Response:
    """Everything that an SDK needs to evaluate by itself, for the key of a client token."""
    return flask_response(lambda request: answer(runtime(), request, client_key))


def answer(opened: Runtime, request: Request, client_key: str) -> Reply:
    """Answer one request for the payload, without a framework."""
    if request.method == "OPTIONS":
        return Reply(204, b"", PREFLIGHT)
    try:
        grant = granted(opened, client_key, Scope.EVALUATE)
    except (NotAuthenticatedError, NotAllowedError) as error:
        return _refusal(400, str(error))
    origin = request.headers.get("Origin")
    if not grant.admits(origin):
        return _refusal(403, f"The key is not for pages of {origin}.")
    body = _document(opened.rulesets.current())
    tag = etag(body)
    kept = (*CORS, CACHE, ("ETag", tag))
    if is_known(request.headers.get("If-None-Match"), tag):
        return Reply(304, b"", kept)
    return Reply(200, body, (*kept, JSON))


def _document(ruleset: Ruleset) -> bytes:
    found = payload(ruleset)
    return orjson.dumps(
        {
            "status": 200,
            "features": found.features,
            "experiments": [],
            "dateUpdated": ruleset.changed_at,
            "remoteOnly": found.remote_only,
        }
    )


def _refusal(status: int, message: str) -> Reply:
    document = {"status": status, "error": message}
    return Reply(status, orjson.dumps(document), (*CORS, JSON))
