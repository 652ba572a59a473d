"""The trust light: one rule for every readout, page, list, report and for the gate; pure."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

import numpy as np

from experiments.analysis.quality import ALARM_LOG_E
from experiments.analysis.schemas import (
    Check,
    Leak,
    Light,
    Quality,
    SourceLateness,
    Trust,
    Unit,
)
from experiments.events.schemas import EventSource
from stats.results import NotEstimable

SPLIT = "planned split"
FRESHNESS = "fresh data"

WATCH_LOG_E = float(np.log(20))
"""Worth a look at an e-value above 20: at most one false hint in 20 experiments, at all looks."""

MAX_CONTAMINATED = 0.01
MANY_CONTAMINATED = 0.005
MANY_LOST = 0.1
MANY_DUPLICATES = 0.05
MANY_LATE = 0.05
FEWEST_EVENTS = 100
MAX_SILENCE = timedelta(hours=48)
LONG_SILENCE = timedelta(hours=24)
HOUR = timedelta(hours=1)


def trust(quality: Quality, *, at: datetime, enrolling: bool) -> Trust:
    """Judge whether the figures of a look can be believed.

    Args:
        quality: the figures of the look by which data are trusted.
        at: when that is asked; data grow old while nobody looks.
        enrolling: whether visitors are expected; an experiment that takes in nobody may be silent.

    Returns:
        The worst verdict of all checks, the words of those that are not green, and every check.
    """
    checks = list(_checks(quality, at=at, enrolling=enrolling))
    verdicts = {check.verdict for check in checks}
    light = next(item for item in (Light.RED, Light.AMBER, Light.GREEN) if item in verdicts)
    reasons = [
        check.words
        for verdict in (Light.RED, Light.AMBER)
        for check in checks
        if check.verdict is verdict
    ]
    return Trust(light=light, reasons=reasons, checks=checks)


def _checks(quality: Quality, *, at: datetime, enrolling: bool) -> Iterator[Check]:
    yield _split(quality)
    yield _periods(quality)
    yield _contamination(quality)
    if quality.lost is not None:
        yield _loss(quality.lost, quality.called)
    if quality.duplicates is not None:
        yield _duplicates(quality.duplicates, quality.called)
    if quality.lateness is not None:
        yield _clocks(quality.lateness)
    if enrolling:
        yield _freshness(quality, at)


def _split(quality: Quality) -> Check:
    ratio = quality.sample_ratio
    log_e = ratio.log_e_value
    verdict = _by_evidence(log_e)
    if not ratio.observed:
        return Check(
            check=SPLIT,
            figure=NotEstimable("nobody was exposed yet"),
            threshold=ALARM_LOG_E,
            unit=Unit.LOG_E,
            verdict=Light.AMBER,
            words="Nobody was exposed yet, so the split cannot be judged.",
        )
    seen = ", ".join(
        f"{quality.called.get(arm, arm)} {count:,} instead of {ratio.expected[arm]:,.0f}"
        for arm, count in ratio.observed.items()
    )
    words = {
        Light.RED: (
            f"The visitors did not split as planned ({seen}): an arm loses visitors or gains them."
        ),
        Light.AMBER: f"The split begins to differ from the plan ({seen}); watch it.",
        Light.GREEN: "The visitors split as planned.",
    }
    return Check(
        check=SPLIT,
        figure=log_e,
        threshold=ALARM_LOG_E,
        unit=Unit.LOG_E,
        verdict=verdict,
        words=words[verdict],
    )


def _periods(quality: Quality) -> Check:
    broken = [item.period for item in quality.broken_periods]
    return Check(
        check="planned split at every hour",
        figure=float(len(broken)),
        threshold=0.0,
        unit=Unit.PERIODS,
        verdict=Light.RED if broken else Light.GREEN,
        words=(
            f"The split was broken at {', '.join(broken)}."
            if broken
            else "No hour and no day has a broken split."
        ),
    )


def _contamination(quality: Quality) -> Check:
    share = quality.contaminated_share
    known = 0.0 if isinstance(share, NotEstimable) else share
    verdict = (
        Light.RED
        if known >= MAX_CONTAMINATED
        else Light.AMBER
        if known >= MANY_CONTAMINATED or isinstance(share, NotEstimable)
        else Light.GREEN
    )
    return Check(
        check="one arm per visitor",
        figure=share,
        threshold=MAX_CONTAMINATED,
        unit=Unit.SHARE,
        verdict=verdict,
        words=(
            "Nobody was exposed yet, so nobody can have seen two arms."
            if isinstance(share, NotEstimable)
            else f"Visitors who saw two arms: {known:.2%} (must stay under {MAX_CONTAMINATED:.0%})."
        ),
    )


def _loss(lost: Leak, called: Mapping[str, str]) -> Check:
    return _leak(
        lost,
        called,
        check="assigned and exposed alike",
        many=MANY_LOST,
        words={
            Light.RED: "One arm loses more of its visitors before they see it than another",
            Light.AMBER: "Many visitors were given an arm and never saw it: are exposures sent?",
            Light.GREEN: "No arm loses more of its visitors before they see it than another",
        },
    )


def _duplicates(duplicates: Leak, called: Mapping[str, str]) -> Check:
    return _leak(
        duplicates,
        called,
        check="every person once",
        many=MANY_DUPLICATES,
        words={
            Light.RED: "People who came under two ids are found in one arm more than in another",
            Light.AMBER: "Many people came under two ids; are visitors identified too late?",
            Light.GREEN: "People who came under two ids, in no arm more than in another",
        },
    )


def _leak(
    leak: Leak, called: Mapping[str, str], *, check: str, many: float, words: Mapping[Light, str]
) -> Check:
    """Red when an arm is preferred, which biases; amber when there are many in all arms alike."""
    verdict = _by_evidence(leak.log_e_value)
    share = leak.share
    if verdict is Light.GREEN and isinstance(share, float) and share > many:
        verdict = Light.AMBER
    counted = ", ".join(f"{called.get(arm, arm)} {count:,}" for arm, count in leak.counts.items())
    told = f"{share:.1%} in all" if isinstance(share, float) else str(share)
    return Check(
        check=check,
        figure=leak.log_e_value,
        threshold=ALARM_LOG_E,
        unit=Unit.LOG_E,
        verdict=verdict,
        words=f"{words[verdict]} ({counted}; {told})."
        if counted
        else f"{words[verdict]} ({told}).",
    )


def _clocks(lateness: list[SourceLateness]) -> Check:
    """Late events can come when their window was counted already; imports are late by nature."""
    enough = [
        row for row in lateness if row.source != EventSource.IMPORT and row.events >= FEWEST_EVENTS
    ]
    worst = max(enough, key=lambda row: row.late_share, default=None)
    late = worst is not None and worst.late_share > MANY_LATE
    return Check(
        check="clocks and delays",
        figure=(
            NotEstimable(f"fewer than {FEWEST_EVENTS} events of any source")
            if worst is None
            else worst.late_share
        ),
        threshold=MANY_LATE,
        unit=Unit.SHARE,
        verdict=Light.AMBER if late else Light.GREEN,
        words=(
            f"{worst.late_share:.0%} of the events from {worst.source} arrive more than a day "
            "after they happened, by its clock; figures of past visitors can still change."
            if worst is not None and late
            else "Events arrive within a day of happening."
        ),
    )


def _freshness(quality: Quality, at: datetime) -> Check:
    newest = quality.newest_at
    if newest is None:
        return Check(
            check=FRESHNESS,
            figure=NotEstimable("nobody was exposed yet"),
            threshold=MAX_SILENCE / HOUR,
            unit=Unit.HOURS,
            verdict=Light.AMBER,
            words="Nobody was exposed yet: does the site ask what to show?",
        )
    silence = at - newest
    verdict = (
        Light.RED
        if silence > MAX_SILENCE
        else Light.AMBER
        if silence > LONG_SILENCE
        else Light.GREEN
    )
    return Check(
        check=FRESHNESS,
        figure=silence / HOUR,
        threshold=MAX_SILENCE / HOUR,
        unit=Unit.HOURS,
        verdict=verdict,
        words=(
            "Data are fresh."
            if verdict is Light.GREEN
            else f"No new visitor for {silence / HOUR:.0f} hours: is the site still asking?"
        ),
    )


def _by_evidence(log_e: float | NotEstimable) -> Light:
    if isinstance(log_e, NotEstimable):
        return Light.AMBER
    if log_e > ALARM_LOG_E:
        return Light.RED
    return Light.AMBER if log_e > WATCH_LOG_E else Light.GREEN
