"""Files with a row per event, taken in like tracked events."""

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlmodel import Session

from experiments.events import service as events
from experiments.events.schemas import EventSource, EventType
from experiments.imports.batches import SOURCE, Tally
from experiments.imports.fields import RefusedError, fill, literals, moment
from experiments.imports.forgotten import without_forgotten
from experiments.imports.reading import Row
from experiments.imports.schemas import EventsMapping

Call = dict[str, Any]


def read(mapping: EventsMapping, row: Row) -> Call:
    """The tracking call that a row tells of; without a message id unless a column has one.

    Raises:
        RefusedError: when it cannot be read.
    """
    facts = literals(row)
    call: Call = {
        "type": EventType.TRACK,
        "userId": fill(mapping.visitor, row),
        "event": fill(mapping.event, row),
        "timestamp": moment(mapping.at, row).isoformat(),
        "channel": EventSource.IMPORT,
        "properties": {
            name: facts[column] for name, column in mapping.properties.items() if column in facts
        },
    }
    if mapping.message_id is not None:
        call["messageId"] = fill(mapping.message_id, row)
    return call


def in_words(call: Call) -> dict[str, str]:
    """What the row tells, for people."""
    properties = ", ".join(f"{name}={value}" for name, value in call["properties"].items())
    return {
        "visitor": call["userId"],
        "event": call["event"],
        "at": call["timestamp"],
        "properties": properties,
    }


class Reader:
    """Reads the rows of a file in their order, and gives each a message id of its own.

    The id is made of what the row says and of how often the file said it before, so that equal
    rows are different events, and a longer copy of the file doubles nothing.
    """

    def __init__(self, mapping: EventsMapping) -> None:
        self._mapping = mapping
        self._said: Counter[bytes] = Counter()

    def __call__(self, row: Row) -> Call:
        """The call that the row tells of.

        Raises:
            RefusedError: when it cannot be read.
        """
        call = read(self._mapping, row)
        if "messageId" in call:
            return call
        digest = hashlib.sha256(json.dumps(call, sort_keys=True).encode())
        key = digest.digest()
        self._said[key] += 1
        digest.update(str(self._said[key]).encode())
        return {**call, "messageId": digest.hexdigest()}


def store(
    session: Session, told: Sequence[tuple[Row, Call]], *, now: datetime, tally: Tally
) -> None:
    """Store a chunk, once per message id."""
    told = without_forgotten(session, told, lambda call: call["userId"], tally=tally)
    outcome = events.ingest(session, [call for _, call in told], source_key=SOURCE, received_at=now)
    tally.stored += outcome.stored
    tally.repeated += outcome.repeated
    for rejected in outcome.rejected:
        row, _ = told[rejected.index]
        tally.refuse(row, RefusedError(rejected.error))
