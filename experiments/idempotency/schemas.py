"""Shapes of the idempotency slice."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A request by the key that its sender gave it, and a fingerprint of what it says."""

    token_id: int
    key: str
    fingerprint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """An answer to tell again; no body when it held a secret."""

    status: int
    body: str | None
