"""Visitors by the time of their event or of their last sight: the counts behind all survival."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from stats.arrays import FloatArray, Numbers, counts, positive
from stats.errors import InvalidInputError


@dataclass(frozen=True, slots=True, kw_only=True)
class LifeTable:
    """Visitors by the time at which they left the risk set, as counts that add.

    Attributes:
        times: increasing times since exposure, above zero, shape (n_times,).
        events: visitors with an event at each time, shape (..., n_causes, n_times).
        censored: visitors last seen without event at each time, shape (..., n_times).
    """

    times: FloatArray
    events: FloatArray
    censored: FloatArray

    def __init__(self, *, times: Numbers, events: Numbers, censored: Numbers) -> None:
        moments = positive("times", times)
        happened, unseen = counts("events", events), counts("censored", censored)
        if moments.ndim != 1 or moments.size == 0 or np.any(np.diff(moments) <= 0):
            raise InvalidInputError("times", "must be one increasing list")
        if happened.ndim < 2 or happened.shape[-1] != moments.size:
            raise InvalidInputError("events", "must end in (causes, times)")
        if unseen.shape != happened.shape[:-2] + moments.shape:
            raise InvalidInputError("censored", "must have the shape of the events of one cause")
        object.__setattr__(self, "times", moments)
        object.__setattr__(self, "events", happened)
        object.__setattr__(self, "censored", unseen)

    @classmethod
    def from_durations(cls, durations: Numbers, causes: Numbers, *, n_causes: int = 1) -> Self:
        """Count single visitors.

        Args:
            durations: time to the event, or to the last sight, above zero, shape (n_visitors,).
            causes: 0 for no event yet, else the number of the cause (1 .. n_causes).
            n_causes: number of competing causes.

        Raises:
            InvalidInputError: a duration or a cause is out of range.
        """
        cause = counts("causes", causes)
        if np.any(cause > n_causes):
            raise InvalidInputError("causes", "must be 0 or a cause up to n_causes")
        times, position = np.unique(positive("durations", durations), return_inverse=True)
        table = np.zeros((n_causes + 1, times.size))
        np.add.at(table, (cause.astype(np.intp), position), 1.0)
        return cls(times=times, events=table[1:], censored=table[0])

    def __add__(self, other: Self) -> Self:
        if not np.array_equal(self.times, other.times):
            raise InvalidInputError("times", "must be the same in tables that are added")
        return type(self)(
            times=self.times,
            events=self.events + other.events,
            censored=self.censored + other.censored,
        )

    @property
    def all_events(self) -> FloatArray:
        """Events of any cause, shape (..., n_times)."""
        return np.asarray(self.events.sum(axis=-2))

    @property
    def at_risk(self) -> FloatArray:
        """Visitors without event and still seen just before each time, shape (..., n_times)."""
        leaving = self.all_events + self.censored
        return np.asarray(np.cumsum(leaving[..., ::-1], axis=-1)[..., ::-1])

    @property
    def survival(self) -> FloatArray:
        """Kaplan-Meier probability of no event by each time, shape (..., n_times)."""
        hazard = self.all_events / np.maximum(self.at_risk, 1)
        return np.asarray(np.cumprod(1 - hazard, axis=-1))
