"""The ramp of an experiment: which step is next, and what it waits for; pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from experiments.design.plans import RampStep
from experiments.shapes import Out


class Gate(StrEnum):
    """What a step can wait for."""

    TIME = "time"
    SAMPLE = "sample"
    HEALTH = "health"
    APPROVAL = "approval"


class GateOut(Out):
    """One gate of a step, whether it is open, and what it needs in words."""

    gate: Gate
    open: bool
    words: str


class RampOut(Out):
    """The next step of a ramp, counted from 1, with its gates; it is taken when all are open."""

    experiment: str
    step: int
    steps: int
    coverage: float
    gates: list[GateOut]

    @property
    def is_open(self) -> bool:
        """Whether nothing stands against the step."""
        return all(gate.open for gate in self.gates)


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far the newest phase has come.

    Attributes:
        hours: since it began.
        visitors: exposed in it.
        alarms: what the newest look at it says against the data; None before the first look.
        approved: whether a person approved the next step.
    """

    hours: float
    visitors: int
    alarms: tuple[str, ...] | None
    approved: bool


def next_step(ramp: Sequence[RampStep], coverage: float) -> int | None:
    """The position of the first step that covers more than now; none at the end of the ramp.

    >>> next_step([RampStep(coverage=0.2), RampStep(coverage=0.5)], 0.2)
    1
    """
    return next((place for place, step in enumerate(ramp) if step.coverage > coverage), None)


def gates(step: RampStep, progress: Progress) -> Iterator[GateOut]:
    """The gates that a step names."""
    yield GateOut(
        gate=Gate.TIME,
        open=progress.hours >= step.after_hours,
        words=f"{progress.hours:.0f} of {step.after_hours} hours of this phase are over.",
    )
    if step.visitors:
        yield GateOut(
            gate=Gate.SAMPLE,
            open=progress.visitors >= step.visitors,
            words=f"{progress.visitors:,} of {step.visitors:,} visitors came in this phase.",
        )
    if step.healthy:
        yield GateOut(gate=Gate.HEALTH, open=progress.alarms == (), words=_health(progress))
    if step.approval:
        words = "A person approved it." if progress.approved else "A person must approve it."
        yield GateOut(gate=Gate.APPROVAL, open=progress.approved, words=words)


def _health(progress: Progress) -> str:
    if progress.alarms is None:
        return "This phase has not been looked at yet."
    return " ".join(progress.alarms) or "The newest look found no alarm."
