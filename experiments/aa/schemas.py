"""Shapes of the A/A slice."""

from datetime import datetime

from experiments.analysis.schemas import Light, Trust
from experiments.shapes import Out
from stats.results import NotEstimable


class AaWeek(Out):
    """One week's newcomers of a journey, divided for nothing, with what the gate said of it."""

    key: str
    journey: str
    started_at: datetime
    finished: bool
    visitors: int
    looks: int
    promoted_looks: int
    split_log_e_value: float | NotEstimable
    trust: Trust | None


class AaOut(Out):
    """How often the gate would have promoted a difference that does not exist."""

    alpha: float
    weeks: list[AaWeek]
    finished: int
    promoted: int
    promoted_share: float | NotEstimable
    looks: int
    promoted_looks: int
    verdict: Light
    words: str
