"""Ids of people who were forgotten: nothing that still arrives under them is stored.

Only a digest of each id is kept, which tells a known id and reveals none.
"""

from collections.abc import Iterable
from datetime import datetime
from hashlib import sha256

from sqlalchemy import Connection, insert
from sqlmodel import col, select

from experiments.assignment.models import SuppressedId


def suppressed(connection: Connection, values: Iterable[str]) -> set[str]:
    """Those of these ids that belong to nobody any more, and to nobody again."""
    digests = {_digest(value): value for value in values}
    query = select(SuppressedId.digest).where(col(SuppressedId.digest).in_(digests))
    return {digests[found] for found in connection.execute(query).scalars()}


def suppress(connection: Connection, values: Iterable[str], *, at: datetime) -> None:
    """Let nothing be stored under these ids from now on."""
    connection.execute(
        insert(SuppressedId), [{"digest": _digest(value), "at": at} for value in values]
    )


def _digest(value: str) -> str:
    return sha256(value.encode()).hexdigest()
