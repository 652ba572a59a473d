"""What is counted from stories, and the page that tells it."""

from datetime import date

import pytest

from experiments.analysis.schemas import Estimate
from experiments.decisions.schemas import Outcome
from experiments.evidence.counting import by_period, held, looked
from experiments.evidence.page import page
from experiments.evidence.schemas import ArmPath, Collection, Evidence, Rule, Story, Winner

CALM = (0.3, 0.6)
CAME_BACK = (0.01, 0.2)
STAYED = (0.001, 0.002)
WINNER = Winner(
    variant="treatment",
    rule=Rule.GROUP_SEQUENTIAL,
    z=3.3,
    day=21.0,
    measured=Estimate(value=0.2, ci_low=0.05, ci_high=0.35),
    expected=Estimate(value=0.04, ci_low=0.0, ci_high=0.1),
    final=0.18,
)


def told(
    *p_values: tuple[float, float],
    began: date = date(2014, 6, 1),
    winner: Winner | None = None,
    alarm: bool = False,
    waits_for: str = "evidence",
) -> Story:
    """A story with one arm per pair of lowest and last p-value."""
    return Story(
        experiment=f"test-{began}-{len(p_values)}",
        began=began,
        visitors=100,
        arms=[
            ArmPath(variant=str(number), looks=5, lowest_p=lowest, last_p=last)
            for number, (lowest, last) in enumerate(p_values)
        ],
        outcome=Outcome.INCONCLUSIVE if winner is None else Outcome.PROMOTE,
        bayesian=Outcome.INCONCLUSIVE,
        winner=winner,
        split_warning=alarm,
        split_alarm=alarm,
        open=[] if winner else [waits_for],
        sentence="",
    )


def test_looked__arms_that_cross_and_come_back__then_experiments_are_counted_once() -> None:
    found = looked(
        [
            told(CALM),
            told(CAME_BACK, CAME_BACK),
            told(CAME_BACK, STAYED),
            told(STAYED, winner=WINNER),
        ]
    )
    assert (found.experiments, found.arms, found.looks) == (4, 6, 20)
    assert (found.crossed, found.came_back, found.significant_at_end) == (3, 1, 2)
    assert (found.promoted, found.promoted_came_back) == (1, 0)
    assert found.by_rule == {Rule.GROUP_SEQUENTIAL: 1, Rule.ALWAYS_VALID: 0}
    assert found.outcomes == {Outcome.INCONCLUSIVE: 3, Outcome.PROMOTE: 1}


def test_looked__promoted_arm_loses_it_later__then_told_and_other_arms_do_not_count() -> None:
    won = WINNER.model_copy(update={"variant": "0"})
    assert looked([told(CAME_BACK, winner=won)]).promoted_came_back == 1
    assert looked([told(STAYED, CAME_BACK, winner=won)]).promoted_came_back == 0


@pytest.mark.parametrize(
    ("began", "warned"),
    [
        (date(2013, 6, 16), False),
        (date(2013, 6, 23), True),  # the week of 25 June 2013
        (date(2014, 1, 5), True),  # the week of 10 January 2014
        (date(2014, 1, 12), False),
    ],
)
def test_by_period__weeks_around_the_warning__then_whole_weeks_count(
    began: date, warned: bool
) -> None:
    inside, outside = by_period([told(CALM, began=began)])
    assert (len(inside), len(outside)) == ((1, 0) if warned else (0, 1))


def test_held__alarms_and_winners__then_counted_with_mean_effects() -> None:
    found = held(
        [told(STAYED, alarm=True, waits_for="split"), told(CALM), told(STAYED, winner=WINNER)]
    )
    assert (found.tests, found.alarms, found.promoted, found.promoted_in_alarm) == (3, 1, 1, 0)
    assert found.significant == 2
    assert (found.measured, found.expected) == (pytest.approx(0.2), pytest.approx(0.04))
    assert found.waiting_for == {"split": 1, "evidence": 1}


def test_page__one_file_missing__then_tells_of_the_other() -> None:
    stories = [told(STAYED, winner=WINNER), told(CAME_BACK)]
    written = page(Evidence(asos=Collection(file="a", stories=stories), upworthy=None))
    assert "| **promoted by the gate** | **1** |" in written
    assert "| +20.0% | +4.0% (+0.0% to +10.0%) | +18.0% |" in written
    assert "Headline tests" not in written
