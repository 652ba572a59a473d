"""How the customers of a simulated year behave, given the truth about what they are shown."""

from collections.abc import Iterable, Iterator
from datetime import timedelta

import numpy as np
import scipy

from experiments.simulation.portfolio import BANNER, BANNER_SLOTS, PAGE, Trial, Truth
from experiments.simulation.visitors import Answer, Ask, Behaviour, Shown, Step, Track, Wait

BASE_LOG_ODDS = -0.3
USUAL_HOURS, SOONER_HOURS = 20.0, 4.0
WINDOW_HOURS = 72
LATEST_HOURS = 70.0
LOST_EXPOSURES = 0.6
CONTROL, VARIANT = "control", "variant"


def content_of(trial: Trial) -> str:
    """What the variant of a trial shows; the truth is looked up by it."""
    return f"idea of {trial.key}"


def behaviour(trials: Iterable[Trial]) -> Behaviour:
    """Customers who are moved by what they see as the trials say."""
    by_content = {content_of(trial): trial for trial in trials}

    def visit(rng: np.random.Generator, shown: Shown) -> Iterator[Step]:
        yield Track(event="Page Viewed")
        yield Ask(touchpoint=PAGE)
        yield Ask(touchpoint=BANNER)
        seen = [
            (by_content[answer.value], answer)
            for answer in shown.slots.values()
            if answer.value in by_content
        ]
        moved = sum(_moved(*item) for item in seen)
        buys = rng.random() < float(scipy.special.expit(BASE_LOG_ODDS + moved))
        losses = rng.random(len(BANNER_SLOTS)) < LOST_EXPOSURES
        yield from _reports(shown, losses, by_content, buys=buys)
        is_sooner = any(trial.truth is Truth.SOONER for trial, _ in seen)
        hours = rng.exponential(SOONER_HOURS if is_sooner else USUAL_HOURS)
        if buys:
            yield Wait(by=timedelta(hours=min(hours, LATEST_HOURS)))
            yield Track(event="Order Placed")

    return visit


def _moved(trial: Trial, answer: Answer) -> float:
    """How far an idea moves the log odds: in its own test, or as what everybody sees."""
    is_test = answer.experiment == trial.key
    return trial.effect.tested if is_test else trial.effect.lasting


def _reports(
    shown: Shown, losses: np.ndarray, trials: dict[str, Trial], *, buys: bool
) -> Iterator[Step]:
    """The banner tells what it showed; some never do, of those who leave at once."""
    for slot, lost in zip(BANNER_SLOTS, losses, strict=True):
        answer = shown.slots.get(slot)
        if answer is None or answer.experiment is None:
            continue
        trial = trials.get(answer.value)
        leaks = trial is not None and trial.truth is Truth.SPLIT
        if not (leaks and lost and not buys):
            viewed = {"experiment_id": answer.experiment, "variation_id": answer.variant}
            yield Track(event="Experiment Viewed", properties=viewed)
