"""A POST that carries an `Idempotency-Key` has its effect once, however often it is sent."""

import re
from collections.abc import Callable
from hashlib import blake2b

from flask import Response, g, request

from api.requests import runtime
from experiments.accounts.schemas import Grant
from experiments.database import transaction
from experiments.errors import ConflictError, InvalidError
from experiments.idempotency import service
from experiments.idempotency.schemas import Kept, Named

HEADER = "Idempotency-Key"
ACCEPTED = re.compile(r"[\x21-\x7e]{1,255}")


def once(answer: Callable[[], Response], *, secret: bool) -> Response:
    """What `answer` says, or what it said to the same request before.

    An answer that holds a secret is not kept. An error has changed nothing, so it frees the key.

    Raises:
        InvalidError: when the key is malformed or was taken by another request.
        ConflictError: when the first request has not ended, or its answer held a secret.
    """
    named = _named()
    if named is None:
        return answer()
    opened = runtime()
    with transaction(opened.engine) as session:
        kept = service.begin(session, named, now=opened.clock.now())
    if kept is not None:
        return _again(kept)
    try:
        response = answer()
    except Exception:
        with transaction(opened.engine) as session:
            service.forget(session, named)
        raise
    body = None if secret else response.get_data(as_text=True)
    with transaction(opened.engine) as session:
        service.finish(session, named, Kept(status=response.status_code, body=body))
    return response


def _named() -> Named | None:
    if request.method != "POST" or HEADER not in request.headers:
        return None
    key = request.headers[HEADER]
    if not ACCEPTED.fullmatch(key):
        raise InvalidError.at(f"/{HEADER}", "must be 1 to 255 visible ASCII characters")
    granted: Grant = g.grant
    said = f"{request.full_path}\n".encode() + request.get_data()
    fingerprint = blake2b(said, digest_size=16).hexdigest()
    return Named(token_id=granted.token_id, key=key, fingerprint=fingerprint)


def _again(kept: Kept) -> Response:
    if kept.body is None:
        message = "This was done before; its answer held a secret, which is not told twice."
        raise ConflictError(message)
    told = Response(kept.body, kept.status, mimetype="application/json")
    told.headers["Idempotency-Replayed"] = "true"
    return told
