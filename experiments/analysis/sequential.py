"""The group-sequential test of a primary metric or a guardrail, and the looks it must remember."""

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from experiments.analysis.schemas import SequentialTest
from stats.confidence_sequences import asymptotic_cs_one_sided
from stats.group_sequential import SequentialState, next_look
from stats.results import NotEstimable
from stats.spending import obrien_fleming

RESERVE = 0.005
"""Part of alpha for the always-valid bound that stays open past the horizon, at most a tenth."""


SPENDING = obrien_fleming
"""How the error is spent over the calendar: almost nothing early, nearly all at the end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What one look at one comparison has used up: calendar and information."""

    metric: str
    variant: str
    calendar_fraction: float
    information: float


Looks: TypeAlias = tuple[tuple[float, float], ...]
"""(calendar fraction, information) of looks, oldest first."""

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
    bound = bound_at(hypothesis, information)
    crossed = not isinstance(bound, NotEstimable) and z >= bound
    return SequentialTest(
        z=z,
        information=information,
        information_fraction=_fraction(visitors, planned_visitors),
        bound=bound,
        always_valid_low=float(always_valid.lower_bound),
        passed=crossed or bool(always_valid.lower_bound > 0),
    )


def bound_at(hypothesis: Hypothesis, information: float) -> float | NotEstimable:
    """The group-sequential bound for z at a look with that information."""
    state = _STATES.after(tuple(hypothesis.earlier), alpha=hypothesis.spendable)
    bound, _ = next_look(
        state,
        calendar_fraction=hypothesis.calendar_fraction,
        information=information,
        spending=SPENDING,
        alpha=hypothesis.spendable,
    )
    return bound


def remember(looks: Looks, state: SequentialState, *, alpha: float) -> None:
    """Keep the state after a sequence of looks that was computed elsewhere, many at once."""
    _STATES.keep(looks, state, alpha=alpha)


class _States:
    """States after recent sequences of looks, so that an hourly look costs one step, not all."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._known: OrderedDict[tuple[float, Looks], SequentialState] = OrderedDict()

    def after(self, looks: Looks, *, alpha: float) -> SequentialState:
        """The state after `looks`, from the longest known beginning of them."""
        done, state = self._longest_known(looks, alpha)
        for calendar_fraction, information in looks[done:]:
            _, state = next_look(
                state,
                calendar_fraction=calendar_fraction,
                information=information,
                spending=SPENDING,
                alpha=alpha,
            )
        self.keep(looks, state, alpha=alpha)
        return state

    def keep(self, looks: Looks, state: SequentialState, *, alpha: float) -> None:
        """Remember the state after `looks`; the oldest one is forgotten for it."""
        self._known[alpha, looks] = state
        if len(self._known) > self._size:
            self._known.popitem(last=False)

    def _longest_known(self, looks: Looks, alpha: float) -> tuple[int, SequentialState]:
        for done in range(len(looks), 0, -1):
            # One access, since another thread may drop an entry between two.
            state = self._known.get((alpha, looks[:done]))
            if state is not None:
                return done, state
        return 0, SequentialState()


_STATES = _States(1000)


def _fraction(visitors: float, planned_visitors: float | None) -> float | NotEstimable:
    if planned_visitors is None:
        return NotEstimable("the plan does not say how many visitors are expected per week")
    return visitors / planned_visitors
