"""Nobody overwrites what they have not seen: an `ETag` on reading, `If-Match` on writing."""

from hashlib import blake2b

from flask import request
from werkzeug.exceptions import PreconditionFailed, PreconditionRequired

from api.requests import json_bytes
from experiments.shapes import Out

TAG_BYTES = 16


def tag(result: Out) -> str:
    """The tag of what a caller sees; any change of it makes another."""
    return blake2b(json_bytes(result), digest_size=TAG_BYTES).hexdigest()


def check(current: Out) -> None:
    """Go on only when the caller has seen what stands now.

    Raises:
        PreconditionRequired: when there is no `If-Match`.
        PreconditionFailed: when somebody has changed it since.
    """
    if "If-Match" not in request.headers:
        message = "Read it first and send its ETag as If-Match, so that no change is lost."
        raise PreconditionRequired(message)
    if not request.if_match.contains(tag(current)):
        message = "It has changed since you read it; read it again and repeat your change on that."
        raise PreconditionFailed(message)
