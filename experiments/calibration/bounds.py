"""The bounds of many simulated experiments, computed in step."""

from collections.abc import Iterator, Sequence
from typing import TypeAlias

import numpy as np

from experiments.analysis.sequential import SPENDING, Looks, remember
from stats.arrays import FloatArray
from stats.group_sequential import SequentialState, next_looks
from stats.results import NotEstimable

Step: TypeAlias = tuple[list[int], list[float | NotEstimable], list[SequentialState]]
"""Positions of the sequences that have such a look, their bounds, and the states after it."""


def bounds_of(sequences: Sequence[Looks], *, alpha: float) -> list[FloatArray]:
    """The bound at every look of every sequence; infinite where nothing can pass yet."""
    found: list[list[float]] = [[] for _ in sequences]
    for rows, bounds, _ in _in_step(sequences, alpha):
        for row, bound in zip(rows, bounds, strict=True):
            found[row].append(np.inf if isinstance(bound, NotEstimable) else bound)
    return [np.array(line) for line in found]


def prepare(sequences: Sequence[Looks], *, alpha: float) -> None:
    """Let the analysis know the states after these sequences, so that it need not replay them."""
    for number, (rows, _, states) in enumerate(_in_step(sequences, alpha), start=1):
        for row, state in zip(rows, states, strict=True):
            if len(sequences[row]) == number:
                remember(sequences[row], state, alpha=alpha)


def _in_step(sequences: Sequence[Looks], alpha: float) -> Iterator[Step]:
    states = [SequentialState()] * len(sequences)
    for number in range(max(map(len, sequences), default=0)):
        rows = [row for row, looks in enumerate(sequences) if len(looks) > number]
        calendar, information = np.array([sequences[row][number] for row in rows]).T
        bounds, after = next_looks(
            [states[row] for row in rows],
            calendar_fraction=calendar,
            information=information,
            spending=SPENDING,
            alpha=alpha,
        )
        for row, state in zip(rows, after, strict=True):
            states[row] = state
        yield rows, bounds, after
