"""The group-sequential test of a primary metric or a guardrail, and the looks it must remember."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from experiments.analysis.schemas import SequentialTest
from stats.confidence_sequences import asymptotic_cs_one_sided
from stats.group_sequential import next_look, replay
from stats.results import NotEstimable

RESERVE = 0.005
"""Part of alpha for the always-valid bound that stays open past the horizon, at most a tenth."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What one look at one comparison has used up: calendar and information."""

    metric: str
    variant: str
    calendar_fraction: float
    information: float


History: TypeAlias = Mapping[tuple[str, str], list[tuple[float, float]]]
"""Per metric and variant, (calendar fraction, information) of every earlier look, oldest first."""


def history(looks: Iterable[Look]) -> History:
    """Order looks by the comparison they belong to."""
    ordered: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for look in looks:
        key = (look.metric, look.variant)
        ordered.setdefault(key, []).append((look.calendar_fraction, look.information))
    return ordered


@dataclass(frozen=True, slots=True, kw_only=True)
class Hypothesis:
    """What is tested and how strictly; `n_star` is where the always-valid bound is tightest."""

    alpha: float
    comparisons: int
    calendar_fraction: float
    earlier: list[tuple[float, float]]
    n_star: float

    @property
    def reserve(self) -> float:
        """The error of the always-valid bound, for one comparison."""
        return min(RESERVE, self.alpha / 10) / self.comparisons

    @property
    def spendable(self) -> float:
        """The error of the group-sequential bound, for one comparison."""
        return self.alpha / self.comparisons - self.reserve


def sequential_test(
    effect: float,
    se: float,
    *,
    hypothesis: Hypothesis,
    visitors: float,
    planned_visitors: float | None,
) -> SequentialTest | NotEstimable:
    """Test at this look whether `effect`, turned so that better is above zero, is above zero."""
    always_valid = asymptotic_cs_one_sided(
        effect, se, visitors=visitors, alpha=hypothesis.reserve, n_star=hypothesis.n_star
    ).at()
    if isinstance(always_valid, NotEstimable):
        return always_valid
    z, information = effect / se, 1 / se**2
    bound = _bound(hypothesis, information)
    crossed = not isinstance(bound, NotEstimable) and z >= bound
    return SequentialTest(
        z=z,
        information=information,
        information_fraction=_fraction(visitors, planned_visitors),
        bound=bound,
        always_valid_low=float(always_valid.lower_bound),
        passed=crossed or bool(always_valid.lower_bound > 0),
    )


def _bound(hypothesis: Hypothesis, information: float) -> float | NotEstimable:
    _, state = replay(hypothesis.earlier, alpha=hypothesis.spendable)
    bound, _ = next_look(
        state,
        calendar_fraction=hypothesis.calendar_fraction,
        information=information,
        alpha=hypothesis.spendable,
    )
    return bound


def _fraction(visitors: float, planned_visitors: float | None) -> float | NotEstimable:
    if planned_visitors is None:
        return NotEstimable("the plan does not say how many visitors are expected per week")
    return visitors / planned_visitors
