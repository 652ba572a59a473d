"""Whether a client has an answer already: the `ETag` of its bytes, compared weakly."""

from hashlib import blake2b

TAG_BYTES = 12


def etag(body: bytes) -> str:
    """The tag of an answer; any other answer has another."""
    return f'"{blake2b(body, digest_size=TAG_BYTES).hexdigest()}"'


def is_known(if_none_match: str, tag: str) -> bool:
    """Whether `If-None-Match` names the tag: weak or strong, alone or in a list."""
    if not if_none_match:
        return False
    said = {item.strip().removeprefix("W/") for item in if_none_match.split(",")}
    return tag in said or "*" in said
