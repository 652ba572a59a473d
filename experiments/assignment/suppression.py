"""Ids of people who were forgotten: nothing that still arrives under them is stored.

Only a digest of each id is kept, which tells a known id and reveals none.
"""

from collections.abc import Iterable
from datetime import datetime
from hashlib import sha256

import orjson
from sqlalchemy import Connection, insert

from experiments.assignment.models import SuppressedId
from experiments.database import run
from experiments.inbox.rows import among


def suppressed(connection: Connection, values: Iterable[str]) -> set[str]:
    """Those of these ids that belong to nobody any more, and to nobody again."""
    if not run(connection, "SELECT 1 FROM suppressed_id LIMIT 1"):
        return set()  # most have forgotten nobody, and a digest takes longer than a look-up
    digests = {_digest(value): value for value in values}
    query = f"SELECT digest FROM suppressed_id WHERE digest {among(connection)}"  # noqa: S608 (no value inside)
    found = run(connection, query, orjson.dumps(list(digests)).decode())
    return {digests[digest] for (digest,) in found}


def suppress(connection: Connection, values: Iterable[str], *, at: datetime) -> None:
    """Let nothing be stored under these ids from now on."""
    connection.execute(
        insert(SuppressedId), [{"digest": _digest(value), "at": at} for value in values]
    )


def _digest(value: str) -> str:
    return sha256(value.encode()).hexdigest()
