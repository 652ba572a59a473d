"""Events in the shape of Segment's tracking API, so that its clients work unchanged.

The rules were found by running real clients: exactly 200 with a JSON body, never a redirect, no
regard for Content-Type, any origin, and 4xx only for what is the sender's own mistake.
"""

import json
import zlib
from collections.abc import Mapping
from typing import Any

import orjson
from flask import Blueprint, Response, request

from api.access import admit, presented_secret
from api.errors import status_of
from api.requests import runtime
from experiments.accounts.schemas import Scope
from experiments.database import transaction
from experiments.errors import DesirelineError, InvalidError, MalformedError, TooLargeError
from experiments.events import service
from experiments.events.schemas import BatchOut

LARGEST_BATCH_BYTES = 500 * 1024
GZIP_MAGIC = b"\x1f\x8b"
GZIP_WINDOW = 31  # zlib's way to say: expect a gzip header
PREFLIGHT_SECONDS = "86400"
SHARED_BY_BATCH = ("context", "sentAt")

blueprint = Blueprint("tracking", __name__, url_prefix="/v1")


@blueprint.post("/<any(track, identify, page, screen, group, alias):kind>")
def track(kind: str) -> Response:
    """Store one call."""
    document = _document()
    outcome = _ingest([{**document, "type": kind}], document)
    if outcome.rejected:
        return _refusal("invalid", outcome.rejected[0].error, 400)
    return _success(outcome)


@blueprint.post("/<any(batch, import):kind>")
def batch(kind: str) -> Response:
    """Store several calls; one that is wrong is listed and stops no other."""
    document = _document()
    calls = document.get("batch")
    if not isinstance(calls, list):
        raise InvalidError.at("/batch", "is required: a list of calls")
    shared = {key: document[key] for key in SHARED_BY_BATCH if key in document}
    if kind == "import":
        shared["channel"] = "import"
    whole = [{**shared, **call} if isinstance(call, dict) else call for call in calls]
    return _success(_ingest(whole, document))


@blueprint.errorhandler(DesirelineError)
def refuse(error: DesirelineError) -> Response:
    """An error as these clients read it: a code and a message."""
    status = 400 if isinstance(error, InvalidError) else status_of(error)
    code = type(error).__name__.removesuffix("Error").lower()
    return _refusal(code, str(error), status)


@blueprint.after_request
def allow_any_origin(response: Response) -> Response:
    """Let browsers of any site read the answer, errors too; never with credentials."""
    response.headers["Access-Control-Allow-Origin"] = "*"
    if request.method == "OPTIONS":
        asked = request.headers.get("Access-Control-Request-Headers", "authorization,content-type")
        response.headers["Access-Control-Allow-Headers"] = asked
        response.headers["Access-Control-Allow-Methods"] = "POST, OPTIONS"
        response.headers["Access-Control-Max-Age"] = PREFLIGHT_SECONDS
    return response


def _ingest(calls: list[Any], document: Mapping[str, Any]) -> BatchOut:
    in_body = document.get("writeKey")
    secret = presented_secret() or (in_body if isinstance(in_body, str) else "")
    granted = admit(secret, Scope.INGEST)
    opened = runtime()
    source_key = f"token:{granted.token_id}"
    with transaction(opened.engine) as session:
        now = opened.clock.now()
        return service.ingest(session, calls, source_key=source_key, received_at=now)


def _document() -> dict[str, Any]:
    """The body as an object, whatever its Content-Type says.

    Raises:
        MalformedError: when it is not a JSON object.
        TooLargeError: when it has more bytes than a batch may have, also unpacked.
    """
    # Python's own reader, because it takes half a surrogate pair: that is one bad event, not a
    # bad batch.
    try:
        document = json.loads(_unpacked(request.get_data(cache=False)))
    except (ValueError, RecursionError) as error:
        message = "The body is not valid JSON; send a JSON object in UTF-8."
        raise MalformedError(message) from error
    if not isinstance(document, dict):
        message = "The body must be a JSON object."
        raise MalformedError(message)
    return document


def _unpacked(data: bytes) -> bytes:
    if data.startswith(GZIP_MAGIC):
        unpacker = zlib.decompressobj(wbits=GZIP_WINDOW)
        try:
            data = unpacker.decompress(data, LARGEST_BATCH_BYTES + 1)
        except zlib.error as error:
            message = "The body looks like gzip and cannot be unpacked."
            raise MalformedError(message) from error
    if len(data) > LARGEST_BATCH_BYTES:
        message = f"The body has more than {LARGEST_BATCH_BYTES} bytes; send smaller batches."
        raise TooLargeError(message)
    return data


def _success(outcome: BatchOut) -> Response:
    document: dict[str, object] = {"success": True}
    if outcome.rejected:
        document["rejected"] = [item.model_dump() for item in outcome.rejected]
    return _json(document, 200)


def _refusal(code: str, message: str, status: int) -> Response:
    return _json({"success": False, "code": code, "message": message}, status)


def _json(document: Mapping[str, object], status: int) -> Response:
    return Response(orjson.dumps(document), status=status, mimetype="application/json")
