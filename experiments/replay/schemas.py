"""Shapes of the replay slice."""

from datetime import datetime
from typing import Any

from pydantic import AwareDatetime

from experiments.assignment.schemas import VisitorId
from experiments.resolution.ladder import Rung
from experiments.shapes import In, Key, Out


class ReplayIn(In):
    """What would this visitor have been shown at this touchpoint at this time?"""

    visitor: VisitorId
    journey: Key
    touchpoint: Key
    at: AwareDatetime


class AnswerOut(Out):
    """Which rung answered for a slot, with which content or variant, in which arm."""

    source: Rung
    origin: str
    experiment: str | None
    variant: str | None


class ReplayedOut(AnswerOut):
    """The answer with what it shows and why."""

    value: Any
    reason: str


class KnownThen(Out):
    """What an answer was given from: attributes that conditions can read, arms, and standing.

    Attributes:
        attributes: of the visitor, overlaid by those of the request.
        arms: variant, phase and bucket by the number of the experiment.
        standing: version and stage by the number of the journey.
    """

    attributes: dict[str, Any]
    arms: dict[int, tuple[int, int, int]]
    standing: dict[int, tuple[int, str]]


class LoggedOut(Out):
    """What one request was really answered, and from what; older entries do not say that."""

    id: int
    at: datetime
    visitor: str
    journey: str
    touchpoint: str
    ruleset: int
    journey_version: int | None
    answers: dict[str, AnswerOut]
    known: KnownThen | None


class ReplayOut(Out):
    """What would have been shown at a time, beside what was logged on that day (UTC).

    It follows from what was noted with an answer at that very moment; otherwise from what is
    stored, in which attributes are as they are now and events are in time.
    """

    visitor: str
    journey: str
    touchpoint: str
    at: datetime
    ruleset: int
    journey_version: int | None
    is_noted: bool
    slots: dict[str, ReplayedOut]
    logged: list[LoggedOut]


class Proof(Out):
    """How many logged answers there are, how many replay gives again, and some that differ."""

    logged: int
    equal: int
    differing: list[LoggedOut]
