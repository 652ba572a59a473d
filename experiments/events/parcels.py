"""What a request brought, read and checked, ready to be written; pure."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import orjson

from experiments.assignment.owners import Sighting
from experiments.assignment.schemas import AliasKind
from experiments.database import to_micros
from experiments.errors import InvalidError
from experiments.events.calls import (
    ALIAS,
    IDENTIFY,
    TRACK,
    Call,
    facts,
    message_id,
    occurred_at,
    read_call,
    source,
    title,
)
from experiments.events.exposures import Viewed, viewed
from experiments.events.schemas import Rejected

COLUMNS = (
    "source_key",
    "message_id",
    "type",
    "name",
    "source",
    "occurred_at",
    "received_at",
    "properties",
    "privacy",
)
"""What is stored of a call beside its visitor, in the order of `Arrival.row`."""
LONGEST_BODY_KEPT = 4000


class Arrival(NamedTuple):
    """A call that can be stored: its row, and whose it is.

    `tie` is the call itself when it ties ids together or tells what is known of a visitor.
    """

    visitor: str
    sighting: Sighting
    row: tuple[str | int, ...]
    occurred_at: int
    report: Viewed | None
    tie: Call | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """The calls of one request, from whom and when; `refused` holds the bodies of the rejected."""

    source_key: str
    received_at: datetime
    arrivals: Sequence[Arrival]
    rejected: Sequence[Rejected]
    refused: Sequence[str]

    @property
    def size(self) -> int:
        """How many rows it makes."""
        return len(self.arrivals) + len(self.refused)


class _Envelope(NamedTuple):
    """What the calls of one request share, worked out once; the instant in microseconds."""

    source_key: str
    received_at: datetime
    is_clean: bool
    privacy: str
    at: int
    user: Sighting
    anonymous: Sighting


def pack(
    calls: Sequence[object],
    *,
    source_key: str,
    received_at: datetime,
    is_clean: bool = False,
    privacy: str = "",
) -> Parcel:
    """Read the calls of a request; one that is wrong is put aside and stops no other.

    `is_clean` says that a strict reader found no text that cannot be stored; `privacy` is what
    the visitor's browser asked for.
    """
    at = to_micros(received_at)
    user, anonymous = Sighting(AliasKind.USER, at), Sighting(AliasKind.ANONYMOUS, at)
    envelope = _Envelope(source_key, received_at, is_clean, privacy, at, user, anonymous)
    arrivals, rejected, refused = [], [], []
    for index, raw in enumerate(calls):
        try:
            arrivals.append(_arrival(raw, envelope, index=index))
        except InvalidError as error:
            rejected.append(Rejected(index=index, error=str(error)))
            refused.append(json.dumps(raw)[:LONGEST_BODY_KEPT])  # escapes what cannot be stored
    return Parcel(
        source_key=source_key,
        received_at=received_at,
        arrivals=arrivals,
        rejected=rejected,
        refused=refused,
    )


def describe(parcel: Parcel) -> str:
    """A parcel in words, for when the database refuses it."""
    told = [
        {"visitor": arrival.visitor, **dict(zip(COLUMNS, arrival.row, strict=True))}
        for arrival in parcel.arrivals
    ]
    return json.dumps({"source": parcel.source_key, "calls": told})


def _arrival(raw: object, envelope: _Envelope, *, index: int) -> Arrival:
    source_key, received_at, is_clean, privacy, at, by_user, by_anonymous = envelope
    call = read_call(raw, is_clean=is_clean)
    said = raw if isinstance(raw, dict) else {}
    kind, name, user = call["type"], title(call), call.get("user_id")
    happened_at = occurred_at(call, received_at=at)
    row = (
        source_key,
        message_id(call, said, index=index, received_at=received_at),
        str(kind),
        name,
        str(source(call)),
        happened_at,
        at,
        _as_json(facts(call)),
        privacy,
    )
    return Arrival(
        user or call.get("anonymous_id") or "",
        by_user if user else by_anonymous,
        row,
        happened_at,
        viewed(name, call.get("properties") or {}) if kind is TRACK else None,
        call if kind is IDENTIFY or kind is ALIAS else None,
    )


def _as_json(said: dict[str, Any]) -> str:
    try:
        return orjson.dumps(said).decode()
    except TypeError:  # a whole number of more than 64 bits
        return json.dumps(said)
