"""The counts that simulated experiments collect, and their cells as the analysis takes them."""

from dataclasses import dataclass

import numpy as np

from experiments.analysis.data import Cell, ExperimentData, SplitCount
from experiments.calibration.scenarios import GUARDRAIL, HOUR, PRIMARY, START, Scenario
from experiments.metrics.schemas import MetricKind
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
        scenario = self.scenario
        kinds = {PRIMARY: scenario.kind, GUARDRAIL: MetricKind.CONVERSION}
        return ExperimentData(
            cells={
                key: [
                    cell
                    for phase in range(len(scenario.ramps))
                    for arm in range(len(scenario.arms))
                    if (cell := self._cell(track, kinds[key], experiment, look, phase, arm))
                ]
                for key, track in self.tracks.items()
            },
            split=self._split(experiment, look),
            contaminated=0,
            newest_at=scenario.as_of(look),
        )

    def _cell(
        self, track: Track, kind: MetricKind, experiment: int, look: int, phase: int, arm: int
    ) -> Cell | None:
        start, end = self._phase(phase)
        now, matured = min(look + self.scenario.lag, end), min(look, end)
        if now <= start:
            return None
        matured = max(matured, start)
        at = (experiment, slice(None), arm)
        visitors = self.visitors[at]
        moments = JointMoments.from_sums(
            n=visitors[matured] - visitors[start],
            totals=track.totals[at][matured] - track.totals[at][start],
            products=track.products[at][matured] - track.products[at][start],
        )
        observed = track.observed[at]
        happened = round(observed[now] - observed[start])
        return Cell(
            variant=self.scenario.arms[arm],
            phase=phase + 1,
            visitors=round(visitors[now] - visitors[start]),
            matured=round(visitors[matured] - visitors[start]),
            conversions=round(track.conversions[at][matured] - track.conversions[at][start]),
            means=tuple(moments.means.tolist()),
            comoments=tuple(tuple(line) for line in moments.comoments.tolist()),
            observed_conversions=happened,
            observed_total=(
                float(happened)
                if kind is MetricKind.CONVERSION
                else float(track.totals[at][now][0] - track.totals[at][start][0])
            ),
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

    def _phase(self, phase: int) -> tuple[int, int]:
        starts = [*self.scenario.starts, self.scenario.steps]
        return starts[phase], starts[phase + 1]
