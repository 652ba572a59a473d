"""Conditions on the experiment as a whole: can the data be trusted, has enough time passed?"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from experiments.analysis.quality import ALARM_LOG_E
from experiments.analysis.schemas import Readout
from experiments.decisions.schemas import Condition, Ruling, Unit
from experiments.design.schemas import Plan
from stats.results import NotEstimable

MAX_CONTAMINATED = 0.01
MAX_SILENCE = timedelta(hours=48)
HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the gate must know that is not in the readout."""

    enrolling: bool
    removed: frozenset[str] = frozenset()
    changed_nodes: tuple[str, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)  # of variants, by key
    # Experiments in one arm of which a variant helps and in another harms, by the variant's key.
    flips: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def called(self, variant: str) -> str:
        """What sentences call a variant: its name, or its key when it has none, in quotes."""
        return f"\u201c{self.names.get(variant) or variant}\u201d"


def health(readout: Readout, facts: Facts) -> list[Condition]:
    """Whether the data can be trusted."""
    return [_split(readout), _periods(readout), _contamination(readout), _freshness(readout, facts)]


def maturity(readout: Readout, plan: Plan) -> Condition:
    """Whether visitors of enough whole weeks have reached the end of their window."""
    done = readout.matured_days >= plan.minimum_days
    need = f"{plan.minimum_days} days of visitors past their window"
    return Condition(
        condition="maturity",
        figure=readout.matured_days,
        threshold=float(plan.minimum_days),
        unit=Unit.DAYS,
        ruling=ruling(passed=done, finished=readout.finished),
        words=f"There are {need}." if done else f"{readout.matured_days:.1f} of {need} are there.",
    )


def ruling(*, passed: bool, finished: bool) -> Ruling:
    """Passed, or waiting as long as more visitors can still change it."""
    if passed:
        return Ruling.PASSED
    return Ruling.FAILED if finished else Ruling.WAITING


def _split(readout: Readout) -> Condition:
    ratio = readout.quality.sample_ratio
    seen = ", ".join(
        f"{arm} {count:,} of {ratio.expected[arm]:,.0f}" for arm, count in ratio.observed.items()
    )
    return Condition(
        condition="planned split",
        figure=ratio.log_e_value,
        threshold=ALARM_LOG_E,
        unit=Unit.LOG_E,
        ruling=Ruling.FAILED if ratio.alarm else Ruling.PASSED,
        words=(
            f"The visitors did not split as planned ({seen}): an arm loses visitors or gains them."
            if ratio.alarm
            else "The visitors split as planned."
        ),
    )


def _periods(readout: Readout) -> Condition:
    broken = [item.period for item in readout.quality.broken_periods]
    return Condition(
        condition="planned split at every hour",
        figure=float(len(broken)),
        threshold=0.0,
        unit=Unit.PERIODS,
        ruling=Ruling.FAILED if broken else Ruling.PASSED,
        words=(
            f"The split was broken at {', '.join(broken)}."
            if broken
            else "No hour and no day has a broken split."
        ),
    )


def _contamination(readout: Readout) -> Condition:
    share = readout.quality.contaminated_share
    known = 0.0 if isinstance(share, NotEstimable) else share
    return Condition(
        condition="one arm per visitor",
        figure=share,
        threshold=MAX_CONTAMINATED,
        unit=Unit.SHARE,
        ruling=Ruling.FAILED if known >= MAX_CONTAMINATED else Ruling.PASSED,
        words=f"Visitors who saw two arms: {known:.2%} (must stay under {MAX_CONTAMINATED:.0%}).",
    )


def _freshness(readout: Readout, facts: Facts) -> Condition:
    newest = readout.quality.newest_at
    silence = None if newest is None else readout.as_of - newest
    fresh = not facts.enrolling or (silence is not None and silence <= MAX_SILENCE)
    return Condition(
        condition="fresh data",
        figure=NotEstimable("nobody was exposed yet") if silence is None else silence / HOUR,
        threshold=MAX_SILENCE / HOUR,
        unit=Unit.HOURS,
        ruling=Ruling.PASSED if fresh else Ruling.WAITING,
        words=(
            "Data are fresh."
            if fresh
            else f"No new visitor for {MAX_SILENCE / HOUR:.0f} hours: is the site still asking?"
        ),
    )
