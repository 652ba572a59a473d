"""What a simulated year is worth: what was promoted, taken back and verified, beside the truth."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import numpy as np
from scipy import special

from experiments.probation.schemas import ProbationState
from experiments.replay.schemas import Proof
from experiments.shapes import Out
from experiments.simulation.customers import BASE_LOG_ODDS
from experiments.simulation.portfolio import Trial, Truth
from experiments.simulation.year import Played

ALPHA = 0.05
NO_GAIN = frozenset({Truth.NOTHING, Truth.HARMFUL, Truth.DEAD, Truth.SPLIT, Truth.SOONER})
"""Truths whose promotion is a mistake."""

HARMS = frozenset({Truth.HARMFUL, Truth.DEAD, Truth.SOURING})
"""Truths that do harm as the standard."""


class Fate(Out):
    """What became of all experiments of one truth; `taken_out` counts variants stopped for harm."""

    truth: Truth
    experiments: int
    promoted: int
    taken_out: int
    demoted: int
    verified: int
    unverified: int
    endings: dict[str, int]


class Effect(Out):
    """A relative effect with its interval, or why there is none."""

    value: float | None
    ci_low: float | None
    ci_high: float | None
    reason: str


class Score(Out):
    """The score of a year and the bars it must reach."""

    days: int
    visitors: int
    experiments: int
    begun: int
    seconds: float
    fates: list[Fate]
    truth: float
    measured: Effect
    claimed: Effect
    wins: int
    logged: int
    replayed: int

    @property
    def no_gain(self) -> int:
        """Experiments that were begun and whose promotion would be a mistake."""
        return sum(fate.experiments for fate in self.fates if fate.truth in NO_GAIN)

    @property
    def mistakes(self) -> int:
        """Promotions of what has no gain."""
        return sum(fate.promoted for fate in self.fates if fate.truth in NO_GAIN)

    @property
    def harmful_verified(self) -> int:
        """Promotions that do harm as the standard and were verified."""
        return sum(fate.verified for fate in self.fates if fate.truth in HARMS)

    @property
    def missed(self) -> list[str]:
        """The bars that were not reached, in words."""
        promoted = sum(fate.promoted for fate in self.fates)
        allowed = ALPHA * promoted
        found = []
        if self.harmful_verified > allowed:
            found.append(f"{self.harmful_verified} harmful promotions verified of {promoted}")
        if self.replayed < self.logged or not self.logged:
            found.append(f"{self.replayed:,} of {self.logged:,} logged answers replayed")
        return found


def score(played: Played, replayed: Proof, *, days: int, seconds: float) -> Score:
    """Hold what the server says against the truth."""
    begun = [trial for trial in played.trials if trial.key in played.experiments]
    shipped = played.shipped
    return Score(
        days=days,
        visitors=played.visitors,
        experiments=len(played.trials),
        begun=len(begun),
        seconds=seconds,
        fates=[
            _fate(truth, [trial for trial in begun if trial.truth is truth], played)
            for truth in Truth
        ],
        truth=_truth(begun, played, days=days),
        measured=_effect(shipped["measured"]),
        claimed=_effect(shipped["claimed"]),
        wins=len(shipped["wins"]),
        logged=replayed.logged,
        replayed=replayed.equal,
    )


def _truth(begun: Iterable[Trial], played: Played, *, days: int) -> float:
    """What everything shipped really did to orders, relative, over all days alike."""
    moved = np.zeros(days)
    for trial in begun:
        for promotion in (item["promotion"] for item in played.decisions[trial.key]):
            if promotion is not None and promotion["applied_at"] is not None:
                first = _day(promotion["applied_at"], played, otherwise=days)
                moved[first : _day(promotion["rolled_back_at"], played, otherwise=days)] += (
                    trial.effect.lasting
                )
    base = special.expit(BASE_LOG_ODDS)
    return float(special.expit(BASE_LOG_ODDS + moved).mean() / base - 1)


def _day(said: str | None, played: Played, *, otherwise: int) -> int:
    """The day of the year of a time that the server said."""
    if said is None:
        return otherwise
    return (datetime.fromisoformat(said) - played.starts_at).days


def _fate(truth: Truth, trials: Iterable[Trial], played: Played) -> Fate:
    keys = [trial.key for trial in trials]
    promoted = [key for key in keys if any(_is_applied(item) for item in played.decisions[key])]
    states = [played.probations[key]["state"] for key in promoted if key in played.probations]
    endings: dict[str, int] = {}
    for key in keys:
        status = played.experiments[key]["status"]
        endings[status] = endings.get(status, 0) + 1
    return Fate(
        truth=truth,
        experiments=len(keys),
        promoted=len(promoted),
        taken_out=sum(_stopped_for_harm(played, key) for key in keys),
        demoted=states.count(ProbationState.DEMOTED),
        verified=states.count(ProbationState.VERIFIED),
        unverified=states.count(ProbationState.UNVERIFIED),
        endings=endings,
    )


def _is_applied(decision: Mapping[str, Any]) -> bool:
    promotion = decision["promotion"]
    return promotion is not None and promotion["applied_at"] is not None


def _stopped_for_harm(played: Played, key: str) -> bool:
    found = played.experiments[key]
    removed = any(variant["removed_at"] for variant in found["variants"])
    return removed or found["status"] == "aborted"


def _effect(said: Mapping[str, Any]) -> Effect:
    return Effect(
        value=said.get("value"),
        ci_low=said.get("ci_low"),
        ci_high=said.get("ci_high"),
        reason=said.get("reason", ""),
    )
