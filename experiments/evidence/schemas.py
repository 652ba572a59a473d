"""Shapes of the evidence slice: what was made of each imported experiment."""

from datetime import date
from enum import StrEnum

from experiments.analysis.schemas import Estimate
from experiments.decisions.schemas import Outcome
from experiments.shapes import Out

SIGNIFICANT = 0.05
"""The p-value that people look for, two-sided."""


class Rule(StrEnum):
    """Which of the two bounds let a promotion through."""

    GROUP_SEQUENTIAL = "group-sequential bound"
    ALWAYS_VALID = "always-valid bound"


class ArmPath(Out):
    """The textbook p-values (two-sided) of one arm against the control, look by look.

    `lowest_p` is the smallest at any look, `last_p` that of the last one.
    """

    variant: str
    looks: int
    lowest_p: float
    last_p: float

    @property
    def crossed(self) -> bool:
        """Whether somebody who looks each time would have called it significant once."""
        return self.lowest_p < SIGNIFICANT

    @property
    def came_back(self) -> bool:
        """Whether it was significant once and is not at the end."""
        return self.crossed and self.last_p >= SIGNIFICANT


class Winner(Out):
    """The variant that the gate would promote, by which bound, after how many days.

    `measured` is the raw relative effect at that look, `expected` the shrunk one; `final` is the
    raw one at the last look of all.
    """

    variant: str
    rule: Rule
    z: float
    day: float
    measured: Estimate
    expected: Estimate
    final: float


class Story(Out):
    """One imported experiment: what each arm looked like, and what the gate made of it.

    `began` is when it started, `visitors` counts all arms, `split_alarm` and `split_warning` are
    about the sample ratio at the last look, `open` names the conditions that had not passed when it
    was decided, and `bayesian` is what the gate of a Bayesian plan ends with on the same looks.
    """

    experiment: str
    began: date
    visitors: int
    arms: list[ArmPath]
    outcome: Outcome
    bayesian: Outcome
    winner: Winner | None
    split_warning: bool
    split_alarm: bool
    open: list[str]
    sentence: str

    @property
    def is_notable(self) -> bool:
        """Whether it was promoted, held back, or crossed the textbook's line and came back."""
        return (
            self.winner is not None or self.split_alarm or any(arm.came_back for arm in self.arms)
        )


class Collection(Out):
    """All experiments of one file."""

    file: str
    stories: list[Story]

    def notable(self) -> "Collection":
        """The same of those that somebody may want to look up."""
        return Collection(file=self.file, stories=[one for one in self.stories if one.is_notable])


class Evidence(Out):
    """Everything that was found; a file that was not there is None."""

    asos: Collection | None
    upworthy: Collection | None

    def notable(self) -> "Evidence":
        """The same of those that somebody may want to look up."""
        return Evidence(
            asos=self.asos and self.asos.notable(),
            upworthy=self.upworthy and self.upworthy.notable(),
        )
