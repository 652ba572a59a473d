"""Logging what was really answered: to a share of the visitors, and for some days."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, insert
from sqlmodel import Session, col, delete

from experiments.assignment.bucketing import BUCKETS, bucket
from experiments.assignment.schemas import Known
from experiments.assignment.suppression import suppressed
from experiments.errors import UnavailableError
from experiments.inbox.group_commit import GroupCommit
from experiments.inbox.schemas import Kind
from experiments.replay.models import LoggedResolution
from experiments.replay.queries import answer_out
from experiments.replay.schemas import KnownThen
from experiments.resolution.ladder import Place, Resolved
from experiments.resolution.resolver import Asker
from experiments.resolution.ruleset import Ruleset

SALT = "logged resolutions"
"""Chooses whose answers are logged, independently of every experiment."""


class Noted(NamedTuple):
    """One answer to be logged."""

    at: datetime
    visitor: str
    place: Place
    ruleset: int
    resolved: Resolved
    known: KnownThen


def _write(connection: Connection, items: Sequence[Noted]) -> list[None]:
    forgotten = suppressed(connection, {item.visitor for item in items})
    if rows := [_row(item) for item in items if item.visitor not in forgotten]:
        connection.execute(insert(LoggedResolution), rows)
    return [None] * len(items)


def _row(item: Noted) -> dict[str, object]:
    return {
        "at": item.at,
        "visitor": item.visitor,
        "journey": item.place.journey,
        "touchpoint": item.place.touchpoint,
        "ruleset": item.ruleset,
        "journey_version": item.resolved.version,
        "answers": {
            found.slot: answer_out(found).model_dump(mode="json") for found in item.resolved.answers
        },
        "known": item.known.model_dump(mode="json"),
    }


NOTES: Kind[Noted, None] = Kind(
    name="logged resolutions", write=_write, describe=lambda item: item.visitor
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolutionLog:
    """Notes answers without making anybody wait for it."""

    commits: GroupCommit
    share: float

    def note(
        self,
        ruleset: Ruleset,
        place: Place,
        asker: Asker,
        resolved: Resolved,
        *,
        known: Known,
        now: datetime,
    ) -> None:
        """Log an answer of a chosen visitor; previews and unknown places are none.

        To be led past a touchpoint is an answer.
        """
        visitor = asker.visitor
        if visitor is None or asker.forced is not None or resolved.version is None:
            return
        if bucket(SALT, visitor) >= self.share * BUCKETS:
            return
        then = KnownThen(
            # What no condition reads is nobody's business here.
            attributes={**known.attributes, **asker.context} if ruleset.reads_attributes else {},
            arms=dict(known.arms),
            standing=dict(known.standing),
        )
        try:
            self.commits.submit(NOTES, Noted(now, visitor, place, ruleset.version, resolved, then))
        except UnavailableError:
            return  # to answer matters more than to have noted it


def drop_old(session: Session, *, before: datetime) -> int:
    """Forget what was logged before a time; how many answers there were."""
    old = delete(LoggedResolution).where(col(LoggedResolution.at) < before)
    return session.exec(old).rowcount
