"""What promoting means at each level of experiments, behind one interface."""

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from sqlmodel import Session

from experiments.audit.schemas import Actor
from experiments.decisions import repaving, rewording
from experiments.decisions.schemas import Maps
from experiments.design.schemas import ExperimentOut, Level
from experiments.journeys.schemas import InFlight, JourneyGraph
from experiments.probation.schemas import Kept


class Merging(Protocol):
    """How what a variant changes gets into the standard, and out of it again."""

    def conflicts(
        self, experiment: ExperimentOut, base: JourneyGraph, current: JourneyGraph, /
    ) -> tuple[str, ...]:
        """The nodes where others changed since the start what the experiment changes."""
        ...

    def merged(
        self,
        session: Session,
        experiment: ExperimentOut,
        variant: str,
        current: JourneyGraph,
        /,
        *,
        actor: Actor,
        now: datetime,
    ) -> JourneyGraph:
        """The current standard with what the variant changes."""
        ...

    def overwritten(self, experiment: ExperimentOut, maps: Maps, /) -> tuple[str, ...]:
        """The nodes where others changed since what the promotion changed."""
        ...

    def undone(self, experiment: ExperimentOut, maps: Maps, /) -> JourneyGraph:
        """The current standard without what the promotion changed."""
        ...

    def in_flight(self, experiment: ExperimentOut, /) -> InFlight:
        """Whom of those under way the promotion reaches."""
        ...

    def kept(self, session: Session, experiment: ExperimentOut, maps: Maps, /) -> Kept | None:
        """What a holdback share keeps after the promotion, if it can keep anything."""
        ...


LEVELS: Mapping[Level, Merging] = {Level.MESSAGE: rewording, Level.PATH: repaving}
