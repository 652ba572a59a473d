"""Customers do what the truth about their content says, whatever the platform believes."""

from collections.abc import Iterable

import numpy as np
import pytest
from scipy import special

from experiments.simulation.customers import BASE_LOG_ODDS, behaviour, content_of
from experiments.simulation.portfolio import BANNER, EFFECTS, PAGE, Effect, Trial, Truth
from experiments.simulation.visitors import Answer, Ask, Shown, Step, Track, Wait

VISITS = 1_000


def trial(truth: Truth, *, touchpoint: str = PAGE, slot: str = "part-1") -> Trial:
    return Trial(key=f"{slot}-1", touchpoint=touchpoint, slot=slot, round=0, truth=truth)


def visits(item: Trial, answer: Answer) -> list[list[Step]]:
    """The steps of many visitors who are all shown one answer."""
    behave = behaviour([item])
    return [
        walk(behave(np.random.default_rng(number), shown), shown, item.slot, answer)
        for number in range(VISITS)
        for shown in [Shown()]
    ]


def walk(steps: Iterable[Step], shown: Shown, slot: str, answer: Answer) -> list[Step]:
    taken = []
    for step in steps:
        taken.append(step)
        if isinstance(step, Ask):
            shown.slots[slot] = answer
    return taken


def in_test(item: Trial) -> Answer:
    return Answer(value=content_of(item), experiment=item.key, variant="variant")


def as_standard(item: Trial) -> Answer:
    return Answer(value=content_of(item), experiment=None, variant=None)


def rate(walks: list[list[Step]], event: str = "Order Placed") -> float:
    return (
        sum(any(isinstance(s, Track) and s.event == event for s in walk) for walk in walks) / VISITS
    )


@pytest.mark.parametrize("truth", list(Truth))
def test_visit__in_a_test_and_as_standard__then_orders_follow_the_truth(truth: Truth) -> None:
    item = trial(truth)
    effect: Effect = EFFECTS[truth]
    for answer, moved in ((in_test(item), effect.tested), (as_standard(item), effect.lasting)):
        expected = float(special.expit(BASE_LOG_ODDS + moved))
        noise = 4 * np.sqrt(expected * (1 - expected) / VISITS)
        assert rate(visits(item, answer)) == pytest.approx(expected, abs=noise + 1e-12)


def test_visit__sooner__then_the_wait_is_shorter() -> None:
    def hours(truth: Truth) -> float:
        item = trial(truth)
        waits = [s for walk in visits(item, in_test(item)) for s in walk if isinstance(s, Wait)]
        return float(np.mean([wait.by.total_seconds() / 3600 for wait in waits]))

    assert hours(Truth.SOONER) < hours(Truth.NOTHING) / 3


def test_visit__lost_exposures__then_only_of_those_who_do_not_buy() -> None:
    item = trial(Truth.SPLIT, touchpoint=BANNER, slot="strip-1")
    walks = visits(item, in_test(item))
    buyers = [walk for walk in walks if rate([walk]) > 0]
    assert rate(buyers, "Experiment Viewed") == pytest.approx(len(buyers) / VISITS)
    assert rate(walks, "Experiment Viewed") < 0.8
