"""The working copy of a map: the newest draft, or what a first change makes a draft of."""

import hashlib
from datetime import datetime

from sqlmodel import Session

from experiments.audit.schemas import Actor
from experiments.errors import ConflictError
from experiments.journeys import queries, service
from experiments.journeys.schemas import JourneyGraph, VersionIn, VersionOut, VersionStatus

MARK_LENGTH = 16


def working(session: Session, journey: str) -> VersionOut:
    """The newest version if it is a draft, else the standard, else the newest.

    Raises:
        NotFoundError: when there is no such journey.
    """
    newest = queries.versions(session, journey)[0]
    if newest.status is VersionStatus.DRAFT:
        return newest
    return queries.standard(session, journey) or newest


def mark(version: VersionOut) -> str:
    """What tells one state of a working copy from another, as an ETag does."""
    told = f"{version.number} {version.note} {version.graph.model_dump_json()}"
    return hashlib.sha256(told.encode()).hexdigest()[:MARK_LENGTH]


def keep(
    session: Session,
    journey: str,
    graph: JourneyGraph,
    *,
    seen: str,
    note: str | None = None,
    actor: Actor,
    now: datetime,
) -> VersionOut:
    """Write a map into the draft, or into a new one when there is none.

    Args:
        session: the transaction.
        journey: its key.
        graph: the map as it shall be.
        seen: the mark of what the change was made on.
        note: what changes, in words; as it was when None.
        actor: who changes it.
        now: the time.

    Raises:
        ConflictError: when somebody else changed the map since.
        InvalidError: when the map breaks a rule.
    """
    service.hold(session, journey)
    before = working(session, journey)
    if mark(before) != seen:
        message = (
            f"{before.created_by.removeprefix('person:')} or somebody after them changed the map "
            f"(version {before.number}) since you opened it, and nothing of yours was stored. "
            "Look at it as it is now and make your change again."
        )
        raise ConflictError(message)
    is_draft = before.status is VersionStatus.DRAFT
    kept = before.note if is_draft else ""
    data = VersionIn(graph=graph, note=kept if note is None else note)
    if is_draft:
        number = before.number
        return service.redraft_version(session, journey, number, data, actor=actor, now=now)
    return service.draft_version(session, journey, data, actor=actor, now=now)
