"""Shapes of the instances slice."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from experiments.shapes import Out


class InstanceState(StrEnum):
    """How a walk stands."""

    WALKING = "walking"
    ARRIVED = "arrived"  # has reached the goal, and may go on to later stages
    LEFT = "left"  # declined or dormant, for now


class TransitionKind(StrEnum):
    """How a step relates to the map."""

    FORWARD = "forward"
    SKIP = "skip"  # forward, past stages between
    BACKWARD = "backward"
    RE_ENTRY = "re-entry"  # back on the path, or from its beginning again
    EXIT = "exit"  # into a stage beside the path: declined, dormant


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """Something a visitor did, as far as entry rules ask."""

    event_id: int
    name: str
    at: datetime
    properties: Mapping[str, Any]


class TransitionOut(Out):
    """A step from one stage to another."""

    from_stage: str | None
    to_stage: str
    at: datetime
    event_id: int
    event: str
    kind: TransitionKind
    conforming: bool


class InstanceOut(Out):
    """One walk of a visitor through a journey, with every step."""

    journey: str
    attempt: int
    version: int
    variant_id: int | None
    entry_point: str
    stage: str
    state: InstanceState
    started_at: datetime
    transitions: list[TransitionOut]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Of the entries into a stage, how many went on, and the median time until they did."""

    entered: int
    went_on: int
    median: timedelta | None

    @property
    def share(self) -> float:
        """Those that went on per entry."""
        return self.went_on / self.entered
