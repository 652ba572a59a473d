"""Shapes of the calibration slice: what was found, against which limit."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from pydantic import computed_field

from experiments.shapes import Out
from stats.arrays import FloatArray
from stats.results import NotEstimable

Outcomes: TypeAlias = Mapping[str, FloatArray]
"""What came of simulated experiments: one number per experiment in each named column."""


class Row(Out):
    """A figure with its Monte-Carlo standard error, and the limits it must keep, if any.

    `allowed_ses` is how many standard errors it may be on the wrong side by chance.
    """

    name: str
    figure: float | NotEstimable
    se: float | NotEstimable
    at_least: float | None = None
    at_most: float | None = None
    allowed_ses: float = 0.0

    @computed_field  # type: ignore[prop-decorator]  # mypy has no other way to decorate a property
    @property
    def met(self) -> bool | None:
        """Whether the limits are kept; None without a limit, False when there is no figure."""
        if self.at_least is None and self.at_most is None:
            return None
        if isinstance(self.figure, NotEstimable) or isinstance(self.se, NotEstimable):
            return False
        slack = self.allowed_ses * self.se
        above = self.at_least is None or self.figure >= self.at_least - slack
        below = self.at_most is None or self.figure <= self.at_most + slack
        return above and below


class Table(Out):
    """What one study found."""

    key: str
    title: str
    how: str
    experiments: int
    rows: list[Row]


class Report(Out):
    """One run of the calibration."""

    quick: bool
    seed: int
    seconds: float
    tables: list[Table]

    @property
    def missed(self) -> list[Row]:
        """Rows whose limit is not kept."""
        return [row for table in self.tables for row in table.rows if row.met is False]


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """One kind of simulation: how to run a batch of experiments, and what to say of them all.

    Attributes:
        key: short name.
        title: what is studied.
        how: how it is simulated, in one or two sentences.
        batch: from a number of experiments and a generator to their outcomes.
        rows: from the outcomes of all experiments to the table.
        full: experiments in a full run.
        quick: experiments in a quick run.
        size: experiments in one batch.
    """

    key: str
    title: str
    how: str
    batch: Callable[[int, np.random.Generator], Outcomes]
    rows: Callable[[Outcomes], Sequence[Row]]
    full: int
    quick: int
    size: int
