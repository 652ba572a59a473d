"""The figures by which data are trusted: the split, whole and by period; losses, delays."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np

from experiments.analysis.data import ArmFlow, ExperimentData, SourceDelay, SplitCount
from experiments.analysis.protocol import Protocol
from experiments.analysis.schemas import (
    BrokenPeriod,
    DayCount,
    Leak,
    Quality,
    SampleRatio,
    SourceLateness,
)
from stats.results import NotEstimable
from stats.sample_ratio import dirichlet_multinomial_log_e, sample_ratio_chi2

WARNING_P_VALUE = 0.01
ALARM_LOG_E = float(np.log(1000))
"""An alarm needs an e-value above 1000: one false alarm in 1000 experiments, at all looks."""

SPLIT_CONCENTRATION = 100.0
"""A split that is broken differs a little, among very many visitors."""

LEAK_CONCENTRATION = 2.0
"""What is lost is few, and when an arm is broken all of it is lost there."""

HOUR_SECONDS = 3600


@dataclass(slots=True)
class _Tally:
    """Visitors of one period, as they came and as they were planned."""

    observed: Counter[str] = field(default_factory=Counter)
    expected: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    log_e_value: float = 0.0


def judge_quality(data: ExperimentData, protocol: Protocol) -> Quality:
    """Check the counts behind a readout against the planned split, phase by phase."""
    visitors = sum(row.visitors for row in data.split)
    dated = [row for row in data.split if row.hour is not None]
    return Quality(
        sample_ratio=_sample_ratio(data.split, protocol),
        broken_periods=_broken_periods(dated, protocol),
        contaminated=data.contaminated,
        contaminated_share=(
            data.contaminated / visitors if visitors else NotEstimable("nobody was exposed yet")
        ),
        newest_at=data.newest_at,
        exposures=_per_day(dated),
        lost=_leak(data.flows, protocol, lambda flow: flow.lost),
        duplicates=_leak(data.flows, protocol, lambda flow: flow.duplicates),
        lateness=_lateness(data.delays),
        called=dict(protocol.called),
    )


def _sample_ratio(split: Iterable[SplitCount], protocol: Protocol) -> SampleRatio:
    tally = _tallies(split, protocol, period_of=lambda _: "").get("", _Tally())
    p_value = _chi2_p_value(tally)
    return SampleRatio(
        observed=dict(tally.observed),
        expected=dict(tally.expected),
        p_value=p_value,
        log_e_value=tally.log_e_value,
        warning=isinstance(p_value, float) and p_value < WARNING_P_VALUE,
        alarm=tally.log_e_value > ALARM_LOG_E,
    )


def _chi2_p_value(tally: _Tally) -> float | NotEstimable:
    arms = list(tally.expected)
    if len(arms) < 2:
        return NotEstimable("nobody was exposed yet")
    test = sample_ratio_chi2(
        [tally.observed[arm] for arm in arms], [tally.expected[arm] for arm in arms]
    ).at()
    return test if isinstance(test, NotEstimable) else float(test.p_value)


def _broken_periods(split: list[SplitCount], protocol: Protocol) -> list[BrokenPeriod]:
    """The hours of the day and the days whose split is off, allowing for how many are checked."""
    tallies = _tallies(split, protocol, period_of=_hour_of_day)
    tallies |= _tallies(split, protocol, period_of=_day)
    alarm = ALARM_LOG_E + float(np.log(max(len(tallies), 1)))
    return [
        BrokenPeriod(
            period=period,
            observed=dict(tally.observed),
            expected=dict(tally.expected),
            log_e_value=tally.log_e_value,
        )
        for period, tally in sorted(tallies.items())
        if tally.log_e_value > alarm
    ]


def _tallies(
    split: Iterable[SplitCount],
    protocol: Protocol,
    *,
    period_of: Callable[[SplitCount], str],
    concentration: float = SPLIT_CONCENTRATION,
) -> dict[str, _Tally]:
    """Count by period; evidence is found in each phase against its own split, and adds."""
    tallies: dict[str, _Tally] = {}
    for (phase, period), observed in _counts(split, period_of).items():
        shares = protocol.weights[phase]
        if len(shares) > 1:
            _add(tallies.setdefault(period, _Tally()), observed, shares, concentration)
    return tallies


def _counts(
    split: Iterable[SplitCount], period_of: Callable[[SplitCount], str]
) -> dict[tuple[int, str], Counter[str]]:
    counts: dict[tuple[int, str], Counter[str]] = {}
    for row in split:
        cell = counts.setdefault((row.phase, period_of(row)), Counter())
        cell[row.variant] += row.visitors
    return counts


def _add(
    tally: _Tally, observed: Counter[str], shares: dict[str, float], concentration: float
) -> None:
    counted = np.array([float(observed[arm]) for arm in shares])
    planned = np.array(list(shares.values()))
    tally.log_e_value += float(
        dirichlet_multinomial_log_e(counted, planned, concentration=concentration)
    )
    for arm, count, expected in zip(shares, counted, counted.sum() * planned, strict=True):
        tally.observed[arm] += int(count)
        tally.expected[arm] += float(expected)


def _per_day(split: Iterable[SplitCount]) -> list[DayCount]:
    days: Counter[tuple[str, str]] = Counter()
    for row in split:
        days[_day(row), row.variant] += row.visitors
    return [
        DayCount.model_validate({"day": day, "variant": variant, "visitors": visitors})
        for (day, variant), visitors in sorted(days.items())
    ]


def _leak(
    flows: Sequence[ArmFlow] | None, protocol: Protocol, count: Callable[[ArmFlow], int]
) -> Leak | None:
    """Whoever leaks independently of the arm leaks in the planned shares, at every look."""
    if flows is None:
        return None
    gone = [
        SplitCount(phase=flow.phase, hour=None, variant=flow.variant, visitors=count(flow))
        for flow in flows
    ]
    tallies = _tallies(gone, protocol, period_of=lambda _: "", concentration=LEAK_CONCENTRATION)
    tally = tallies.get("", _Tally())
    assigned = sum(flow.assigned for flow in flows)
    total = sum(count(flow) for flow in flows)
    return Leak(
        counts=dict(tally.observed),
        share=total / assigned if assigned else NotEstimable("nobody was assigned a day ago yet"),
        log_e_value=tally.log_e_value,
    )


def _lateness(delays: Sequence[SourceDelay] | None) -> list[SourceLateness] | None:
    if delays is None:
        return None
    return [
        SourceLateness(source=row.source, events=row.events, late_share=row.late / row.events)
        for row in delays
    ]


def _hour_of_day(row: SplitCount) -> str:
    return f"{_at(row):%H}:00 UTC"


def _day(row: SplitCount) -> str:
    return _at(row).date().isoformat()


def _at(row: SplitCount) -> datetime:
    return datetime.fromtimestamp((row.hour or 0) * HOUR_SECONDS, UTC)
