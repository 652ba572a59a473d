"""The counts that simulated experiments collect, and their cells as the analysis takes them."""

from dataclasses import dataclass

import numpy as np

from experiments.analysis.data import Cell, ExperimentData, SplitCount
from experiments.calibration.scenarios import HOUR, START, Scenario
from stats.arrays import FloatArray
from stats.moments import JointMoments

EPOCH_HOUR = round(START.timestamp() / HOUR.total_seconds())


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """Cumulative sums of one metric over the steps of the calendar.

    Attributes:
        conversions: of the visitors who came up to a step, shape (experiments, steps + 1, arms).
        observed: conversions that have happened by a step, whoever converted; same shape.
        totals: sums of the k quantities by arrival, shape (experiments, steps + 1, arms, k).
        products: sums of their products, shape (experiments, steps + 1, arms, k, k).
    """

    conversions: FloatArray
    observed: FloatArray
    totals: FloatArray
    products: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """Where a cell is."""

    experiment: int
    look: int
    phase: int
    arm: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """Many experiments of one scenario: cumulative visitors by arrival, and their metrics."""

    scenario: Scenario
    visitors: FloatArray
    tracks: dict[str, Track]

    @property
    def experiments(self) -> int:
        """How many experiments there are."""
        return len(self.visitors)

    def in_phases(self, sums: FloatArray, *, lag: int = 0) -> FloatArray:
        """What each phase brought by each look; phases become the last axis.

        Args:
            sums: cumulative figures of one arm, shape (experiments, steps + 1).
            lag: steps by which the look is later than the newest arrival that counts.

        Returns:
            Shape (experiments, looks, phases).
        """
        starts = np.array(self.scenario.starts)
        ends = np.append(starts[1:], self.scenario.steps)
        newest = np.arange(1, self.scenario.looks + 1)[:, None] + lag
        return np.asarray(
            sums[:, np.clip(newest, starts, ends)] - sums[:, starts][:, None, :], np.float64
        )

    def data(self, experiment: int, look: int) -> ExperimentData:
        """The sufficient statistics of one experiment at one look, as production collects them."""
        places = [
            _Place(experiment=experiment, look=look, phase=phase, arm=arm)
            for phase in range(len(self.scenario.ramps))
            for arm in range(len(self.scenario.arms))
        ]
        cells = {
            key: [self._cell(track, place) for place in places if self._has_begun(place)]
            for key, track in self.tracks.items()
        }
        return ExperimentData(
            cells=cells,
            split=self._split(experiment, look),
            contaminated=0,
            newest_at=self.scenario.as_of(look),
        )

    def _has_begun(self, place: _Place) -> bool:
        return place.look + self.scenario.lag > self._bounds(place.phase)[0]

    def _cell(self, track: Track, place: _Place) -> Cell:
        start, end = self._bounds(place.phase)
        now = min(place.look + self.scenario.lag, end)
        matured = max(min(place.look, end), start)
        at = (place.experiment, slice(None), place.arm)
        visitors, totals = self.visitors[at], track.totals[at]
        moments = JointMoments.from_sums(
            n=visitors[matured] - visitors[start],
            totals=totals[matured] - totals[start],
            products=track.products[at][matured] - track.products[at][start],
        )
        return Cell(
            variant=self.scenario.arms[place.arm],
            phase=place.phase + 1,
            visitors=round(visitors[now] - visitors[start]),
            matured=round(visitors[matured] - visitors[start]),
            conversions=round(track.conversions[at][matured] - track.conversions[at][start]),
            means=tuple(moments.means.tolist()),
            comoments=tuple(tuple(line) for line in moments.comoments.tolist()),
            observed_conversions=round(track.observed[at][now] - track.observed[at][start]),
            observed_total=float(totals[now][0] - totals[start][0]),
        )

    def _split(self, experiment: int, look: int) -> list[SplitCount]:
        new = np.diff(self.visitors[experiment, : look + self.scenario.lag + 1], axis=0)
        phases = np.searchsorted(self.scenario.starts, np.arange(len(new)), side="right")
        return [
            SplitCount.model_construct(
                phase=int(phases[step]),
                hour=EPOCH_HOUR + int(step) * self.scenario.look_hours,
                variant=self.scenario.arms[arm],
                visitors=int(new[step, arm]),
            )
            for step, arm in np.argwhere(new)
        ]

    def _bounds(self, phase: int) -> tuple[int, int]:
        """The steps at which a phase starts and ends."""
        starts = [*self.scenario.starts, self.scenario.steps]
        return starts[phase], starts[phase + 1]
