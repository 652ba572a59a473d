"""Shapes of the erasure slice."""

from datetime import datetime

from experiments.assignment.schemas import VisitorOut
from experiments.events.schemas import EventOut, RejectedOut
from experiments.inbox.schemas import DeadLetterOut
from experiments.instances.schemas import InstanceOut
from experiments.replay.schemas import LoggedOut
from experiments.shapes import Out


class SeenOut(Out):
    """An arm that a visitor saw, when first and how often."""

    experiment_id: int
    variant_id: int
    first_at: datetime
    count: int


class KnownOut(Out):
    """All that is stored of one visitor."""

    visitor: VisitorOut
    exposures: list[SeenOut]
    events: list[EventOut]
    journeys: list[InstanceOut]
    answers: list[LoggedOut]
    refused: list[RejectedOut]
    dead_letters: list[DeadLetterOut]


class ErasedOut(Out):
    """How much was forgotten of a visitor; nothing when they had been forgotten before.

    Of the events `awaiting_tidy` had been moved into files too; the job `tidy` takes them out.
    """

    ids: int = 0
    attributes: int = 0
    events: int = 0
    journeys: int = 0
    answers: int = 0
    refused: int = 0
    assignments_kept: int = 0
    awaiting_tidy: int = 0
