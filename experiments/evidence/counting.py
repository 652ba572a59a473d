"""The figures of the page, counted from the stories; pure."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date

from experiments.decisions.schemas import Outcome
from experiments.evidence.schemas import ArmPath, Rule, Story, Winner
from experiments.shapes import Out

WARNED_SINCE, WARNED_UNTIL = date(2013, 6, 23), date(2014, 1, 5)
"""First days of the weeks in which the authors of Upworthy's archive doubt the randomisation.

They name 25 June 2013 to 10 January 2014; the archive dates a test by its week only.
"""


class Looked(Out):
    """What somebody sees who looks at the textbook test each time, against what the gate says."""

    experiments: int
    arms: int
    looks: int
    crossed: int
    came_back: int
    significant_at_end: int
    promoted: int
    promoted_came_back: int
    promoted_bayesian: int
    by_rule: dict[Rule, int]
    outcomes: dict[Outcome, int]


class Held(Out):
    """Tests of one period: how many the sample ratio holds back, how many are promoted."""

    tests: int
    alarms: int
    warnings: int
    promoted: int
    promoted_in_alarm: int
    significant: int
    measured: float | None
    expected: float | None
    waiting_for: dict[str, int]


def looked(stories: Sequence[Story]) -> Looked:
    """Count experiments; one has crossed when any of its arms has."""
    won = winners(stories)
    return Looked(
        experiments=len(stories),
        arms=sum(len(item.arms) for item in stories),
        looks=sum(_looks(item.arms) for item in stories),
        crossed=sum(any(arm.crossed for arm in item.arms) for item in stories),
        came_back=sum(_came_back(item.arms) for item in stories),
        significant_at_end=sum(_ends_significant(item.arms) for item in stories),
        promoted=len(won),
        promoted_came_back=sum(_winner_came_back(item) for item in stories),
        promoted_bayesian=sum(item.bayesian is Outcome.PROMOTE for item in stories),
        by_rule={rule: sum(item.rule is rule for item in won) for rule in Rule},
        outcomes=dict(Counter(item.outcome for item in stories).most_common()),
    )


def held(stories: Sequence[Story]) -> Held:
    """Count the tests of one period."""
    won = winners(stories)
    waiting = (name for item in stories if item.winner is None for name in item.open)
    return Held(
        tests=len(stories),
        alarms=sum(item.split_alarm for item in stories),
        warnings=sum(item.split_warning for item in stories),
        promoted=len(won),
        promoted_in_alarm=sum(
            item.split_alarm and item.outcome is Outcome.PROMOTE for item in stories
        ),
        significant=sum(_ends_significant(item.arms) for item in stories),
        measured=_mean(item.measured.value for item in won),
        expected=_mean(item.expected.value for item in won),
        waiting_for=dict(Counter(waiting).most_common()),
    )


def by_period(stories: Sequence[Story]) -> tuple[list[Story], list[Story]]:
    """Tests inside the weeks that the authors warn of, and all others."""
    inside = [item for item in stories if WARNED_SINCE <= item.began <= WARNED_UNTIL]
    outside = [item for item in stories if not WARNED_SINCE <= item.began <= WARNED_UNTIL]
    return inside, outside


def winners(stories: Iterable[Story]) -> list[Winner]:
    """What the gate would promote."""
    return [item.winner for item in stories if item.winner is not None]


def _looks(arms: Sequence[ArmPath]) -> int:
    return max((arm.looks for arm in arms), default=0)


def _ends_significant(arms: Sequence[ArmPath]) -> bool:
    return any(arm.crossed and not arm.came_back for arm in arms)


def _came_back(arms: Sequence[ArmPath]) -> bool:
    return any(arm.crossed for arm in arms) and not _ends_significant(arms)


def _winner_came_back(story: Story) -> bool:
    """Whether what the gate would have promoted is not significant at the last look of all."""
    if story.winner is None:
        return False
    return any(arm.came_back for arm in story.arms if arm.variant == story.winner.variant)


def _mean(values: Iterable[float]) -> float | None:
    found = list(values)
    return sum(found) / len(found) if found else None
