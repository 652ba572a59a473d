"""What a request brought, read and checked, ready to be written; pure."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import orjson

from experiments.assignment.schemas import AliasKind
from experiments.database import to_micros
from experiments.errors import InvalidError
from experiments.events.calls import Call, message_id, occurred_at, read_call
from experiments.events.exposures import Viewed, viewed
from experiments.events.schemas import EventType, Rejected

LONGEST_BODY_KEPT = 4000


class Arrival(NamedTuple):
    """A call that can be stored; instants in microseconds, properties as JSON.

    `tie` is the call itself when it ties ids together or tells what is known of a visitor.
    """

    visitor: str
    kind: AliasKind
    message_id: str
    type: str
    name: str
    source: str
    occurred_at: int
    properties: str
    report: Viewed | None
    tie: Call | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """The calls of one request, from whom and when; `refused` holds the bodies of the rejected."""

    source_key: str
    received_at: datetime
    privacy: str
    arrivals: Sequence[Arrival]
    rejected: Sequence[Rejected]
    refused: Sequence[str]

    @property
    def size(self) -> int:
        """How many rows it makes."""
        return len(self.arrivals) + len(self.refused)


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
    arrivals, rejected, refused = [], [], []
    for index, raw in enumerate(calls):
        try:
            arrivals.append(_arrival(raw, index=index, received_at=received_at, is_clean=is_clean))
        except InvalidError as error:
            rejected.append(Rejected(index=index, error=str(error)))
            refused.append(json.dumps(raw)[:LONGEST_BODY_KEPT])  # escapes what cannot be stored
    return Parcel(
        source_key=source_key,
        received_at=received_at,
        privacy=privacy,
        arrivals=arrivals,
        rejected=rejected,
        refused=refused,
    )


def describe(parcel: Parcel) -> str:
    """A parcel in words, for when the database refuses it."""
    told = [arrival._replace(report=None, tie=None) for arrival in parcel.arrivals]
    return json.dumps({"source": parcel.source_key, "calls": told})


def _arrival(raw: object, *, index: int, received_at: datetime, is_clean: bool) -> Arrival:
    call = read_call(raw, is_clean=is_clean)
    said = raw if isinstance(raw, dict) else {}
    kind, title = call.type, call.title
    return Arrival(
        call.visitor,
        call.kind,
        message_id(call, said, index=index, received_at=received_at),
        kind.value,
        title,
        call.source.value,
        to_micros(occurred_at(call, received_at=received_at)),
        _as_json(call.facts),
        viewed(title, call.properties or {}) if kind is EventType.TRACK else None,
        call if kind is EventType.IDENTIFY or kind is EventType.ALIAS else None,
    )


def _as_json(facts: dict[str, Any]) -> str:
    try:
        return orjson.dumps(facts).decode()
    except TypeError:  # a whole number of more than 64 bits
        return json.dumps(facts)
