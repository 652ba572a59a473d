"""The bytes of a request as a document, whatever its Content-Type says."""

import json
import zlib
from dataclasses import dataclass
from typing import Any

import orjson

from experiments.errors import MalformedError, TooLargeError

LARGEST_BATCH_BYTES = 500 * 1024
GZIP_MAGIC = b"\x1f\x8b"
GZIP_WINDOW = 31  # zlib's way to say: expect a gzip header
ESCAPED_NUL = b"\\u0000"


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A JSON object; `is_clean` when there is no text in it that a database cannot hold."""

    fields: dict[str, Any]
    is_clean: bool


def decode(data: bytes) -> Document:
    """Read a body, unpacked if it is packed.

    Raises:
        MalformedError: when it is not a JSON object.
        TooLargeError: when it has more bytes than a batch may have, also unpacked.
    """
    data = _unpacked(data)
    try:
        fields, is_strict = orjson.loads(data), True
    except orjson.JSONDecodeError:
        # Python's own reader takes half a surrogate pair and NaN: that is one bad event, not a
        # bad batch.
        fields, is_strict = _loosely(data), False
    if not isinstance(fields, dict):
        message = "The body must be a JSON object."
        raise MalformedError(message)
    return Document(fields=fields, is_clean=is_strict and ESCAPED_NUL not in data)


def _loosely(data: bytes) -> object:
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        message = "The body is not valid JSON; send a JSON object in UTF-8."
        raise MalformedError(message) from error


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
