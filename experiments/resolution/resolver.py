"""Answering from the live ruleset and what is stored of the visitor, and recording what is new.

The order of things on a request: the ruleset from memory, the visitor from memory or in one
look-up, the ladder, and only when something is new one trip through the group commit. What is
recorded is durable before the answer leaves. While the database is away the hash alone answers and
what would have been recorded waits in a file.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from time import monotonic
from typing import Any, NamedTuple, Protocol

from sqlalchemy import Engine

from experiments.assignment.bucketing import bucket
from experiments.assignment.recording import VISITS, Meeting, Visit
from experiments.assignment.schemas import NOTHING, Known, StoredArm
from experiments.errors import OverloadedError, UnavailableError
from experiments.inbox.group_commit import GroupCommit
from experiments.resolution.enrolment import Question
from experiments.resolution.ladder import Place, Resolved, climb
from experiments.resolution.lookups import Lookups
from experiments.resolution.memory import Memory
from experiments.resolution.overrides import Forced
from experiments.resolution.ruleset import Enrolment, Ruleset
from experiments.resolution.spool import Spool

AVOID_SECONDS = 1.0
NOBODY = Known()


class Asker(NamedTuple):
    """Who asks, as the request tells it."""

    visitor: str | None = None
    context: Mapping[str, Any] = NOTHING
    forced: Forced | None = None
    preview_refused: bool = False
    fallback: Mapping[str, Any] = NOTHING


class Note(Protocol):
    """Is told of every answer that somebody was shown."""

    def __call__(
        self,
        ruleset: Ruleset,
        place: Place,
        asker: Asker,
        resolved: Resolved,
        *,
        known: Known,
        now: datetime,
    ) -> None:
        """Take note of an answer and of what it was given from; it must not make anybody wait."""
        ...


class Resolver:
    """Answers requests of one process."""

    def __init__(
        self,
        engine: Engine,
        commits: GroupCommit,
        spool: Spool,
        *,
        memory: Memory | None = None,
        note: Note | None = None,
    ) -> None:
        self._lookups = Lookups(engine)
        self._commits = commits
        self._spool = spool
        self._memory = memory or Memory()
        self._note = note
        self._away_until = 0.0

    def look(self, ruleset: Ruleset, asker: Asker) -> Question:
        """The question of this asker with what is stored of them; writes nothing."""
        if asker.visitor is None:
            return question(asker, NOBODY)
        known = self._memory.get(asker.visitor)
        return question(asker, known or self._read(ruleset, asker.visitor))

    def visit(self, ruleset: Ruleset, place: Place, asker: Asker, *, now: datetime) -> Resolved:
        """What is shown to this asker there; what is new is recorded first.

        Raises:
            OverloadedError: when more waits to be recorded than may wait.
        """
        resolved, known = self._meet(ruleset, place, asker, now=now)
        if self._note is not None:
            self._note(ruleset, place, asker, resolved, known=known, now=now)
        return resolved

    def _meet(
        self, ruleset: Ruleset, place: Place, asker: Asker, *, now: datetime
    ) -> tuple[Resolved, Known]:
        """What is shown, and what is known of the asker that it follows from."""
        visitor = asker.visitor
        if visitor is None:
            return climb(ruleset, place, question(asker, NOBODY)), NOBODY
        ask = partial(_ask, ruleset, place, asker)
        known = self._memory.get(visitor)
        if known is None and (ruleset.reads_people or self._memory.has_met(visitor)):
            known = self._read(ruleset, visitor)
        read = known or NOBODY
        resolved, news = ask(read)
        if known is None and not news:  # somebody new is looked up where they are recorded
            read = self._read(ruleset, visitor)
            resolved, news = ask(read)
        if not news:
            return resolved, read
        complete = partial(_with_what_is_not_recorded, read)

        def meetings(stored: Known) -> Sequence[Meeting]:
            is_as_read = stored.arms == read.arms and stored.exposed == read.exposed
            return news if is_as_read else ask(complete(stored))[1]

        stored = self._record(Visit(visitor, now, meetings), news)
        if stored is None:
            return resolved, read
        stored = complete(stored)
        self._memory.put(visitor, stored)
        # Only where another request of the same person was first another arm may stand.
        as_read = stored.arms == _expected(read, news)
        return (resolved, read) if as_read else (ask(stored)[0], stored)

    def close(self) -> None:
        """Let go of the database."""
        self._lookups.close()

    def replay(self) -> None:
        """Record what waited in a file while the database was away."""
        try:
            self._spool.replay(self._record_all)
        except UnavailableError:
            return  # the next time, then

    def _record_all(self, visits: Sequence[Visit]) -> None:
        for handed in [self._commits.submit(VISITS, visit) for visit in visits]:
            handed.result()

    def _read(self, ruleset: Ruleset, visitor: str) -> Known:
        if monotonic() < self._away_until:
            return NOBODY
        try:
            known = self._lookups.known(ruleset, visitor)
        except UnavailableError:
            self._away_until = monotonic() + AVOID_SECONDS
            return NOBODY
        self._memory.put(visitor, known)
        return known

    def _record(self, visit: Visit, news: Sequence[Meeting]) -> Known | None:
        """What is stored of the visitor then; nothing when it waits for the database."""
        if monotonic() >= self._away_until:
            try:
                return self._commits.store(VISITS, visit)
            except OverloadedError:
                raise
            except UnavailableError:
                self._away_until = monotonic() + AVOID_SECONDS
        self._spool.add(visit.visitor, visit.at, news)
        return None


def question(asker: Asker, known: Known) -> Question:
    """What the ladder needs to know of an asker; the request's attributes overlay the stored."""
    attributes = {**known.attributes, **asker.context}
    if asker.visitor is not None:
        attributes["id"] = asker.visitor
    return Question(
        asker.visitor,
        attributes,
        known.arms,
        asker.forced,
        asker.preview_refused,
        asker.fallback,
        known.standing,
    )


def _ask(
    ruleset: Ruleset, place: Place, asker: Asker, known: Known
) -> tuple[Resolved, list[Meeting]]:
    """What somebody of whom this is known is shown there, and what of it is not recorded yet."""
    resolved = climb(ruleset, place, question(asker, known))
    news = [
        _meeting(met, asker.visitor or "", is_seen=is_seen)
        for met, counts in resolved.met()
        if (is_seen := counts and met.is_counted and met.experiment.id not in known.exposed)
        or met.is_new
    ]
    return resolved, news


def _expected(read: Known, news: Sequence[Meeting]) -> Mapping[int, StoredArm]:
    """The arms of somebody for whom exactly the news were recorded."""
    return {**read.arms, **{item.experiment_id: item.arm for item in news if item.is_new}}


def _with_what_is_not_recorded(read: Known, stored: Known) -> Known:
    """What is stored now, with what was read before and recording does not change."""
    return Known(stored.visitor_id, stored.arms, stored.exposed, read.standing, read.attributes)


def _meeting(met: Enrolment, visitor: str, *, is_seen: bool) -> Meeting:
    rule = met.experiment
    arm = StoredArm(met.arm.id, rule.phase_id, bucket(rule.salt, visitor))
    return Meeting(rule.id, arm, met.arm.weight, met.is_new, is_seen)
