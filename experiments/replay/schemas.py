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


class LoggedOut(Out):
    """What one request was really answered."""

    id: int
    at: datetime
    visitor: str
    journey: str
    touchpoint: str
    ruleset: int
    journey_version: int | None
    answers: dict[str, AnswerOut]


class ReplayOut(Out):
    """What would have been shown at a time, beside what was logged on that day (UTC)."""

    visitor: str
    journey: str
    touchpoint: str
    at: datetime
    ruleset: int
    journey_version: int | None
    slots: dict[str, ReplayedOut]
    logged: list[LoggedOut]
