"""How pretended visitors behave, and the truth about each variant that the platform must find.

Everything is drawn from the visitor's own generator, so that a visitor behaves the same in every
run, whenever the server happens to answer.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import numpy as np

QUOTE_RATES = {"phone": 0.27, "desktop": 0.34}
DETAILS_RATE = 0.60
POLICY_RATE = 0.55
INVITE_RATE = 0.15
MEAN_PREMIUM_EUR = 120.0

PHONES, TENANTS, DUTCH = 0.6, 0.45, 0.7

# The hidden truth: what each variant does to the rate of the next step.
LIFT = {("hero-pain", "pain"): 1.40, ("form-long", "one-page"): 0.5}
# The one-page form also loads slowly on the banner's page: this share of the visitors who do not
# go on leaves before their browser can report what it showed.
LOST_EXPOSURES = {("banner-refund", "refund"): 0.45}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """The site asks what to show at a touchpoint."""

    touchpoint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """The site reports what the visitor did."""

    event: str
    properties: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tell:
    """The site says what it knows of the visitor."""

    traits: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Time passes."""

    by: timedelta


Step = Ask | Track | Tell | Wait


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What one slot showed, and in which arm of which experiment."""

    value: Any
    experiment: str | None
    variant: str | None


@dataclass(frozen=True, slots=True)
class Shown:
    """What one visitor was shown so far, by slot; it fills up as answers come in."""

    slots: dict[str, Answer] = field(default_factory=dict)

    def variant(self, experiment: str) -> str | None:
        """The arm of an experiment that the visitor has met."""
        for answer in self.slots.values():
            if answer.experiment == experiment:
                return answer.variant
        return None


Behaviour = Callable[[np.random.Generator, Shown], Iterator[Step]]
"""How a visitor behaves, given their dice and what they are shown."""


def visit(rng: np.random.Generator, shown: Shown) -> Iterator[Step]:
    """The steps of one visitor."""
    traits = _traits(rng)
    yield Tell(traits=traits)
    yield Track(event="Page Viewed")
    yield Ask(touchpoint="landing")
    yield Ask(touchpoint="banner")
    quotes = rng.random() < QUOTE_RATES[traits["device"]] * _lift("hero-pain", shown)
    if _exposure_arrives("banner-refund", shown, rng=rng, goes_on=quotes):
        yield Track(event="Experiment Viewed", properties=_viewed("banner-refund", shown))
    yield _pause(rng, hours=2)
    if not quotes:
        return
    yield Track(event="Quote Started")
    yield Ask(touchpoint="quote-start")
    yield Ask(touchpoint="quote-form")
    yield _pause(rng, hours=3)
    if rng.random() >= DETAILS_RATE * _lift("form-long", shown):
        yield Track(event="Quote Declined", properties={"reason": "form"})
        return
    yield Track(event="Details Given")
    yield Ask(touchpoint="summary")
    yield _pause(rng, hours=12)
    if rng.random() >= POLICY_RATE:
        yield Track(event="Reminder Ignored")
        return
    premium = round(MEAN_PREMIUM_EUR * rng.lognormal(-0.125, 0.5), 2)
    yield Track(event="Policy Bought", properties={"revenue": premium, "currency": "EUR"})
    yield _pause(rng, hours=24)
    if rng.random() < INVITE_RATE:
        yield Track(event="Friend Invited")


def _traits(rng: np.random.Generator) -> dict[str, Any]:
    """Who comes: what divides them is known before they meet anything."""
    return {
        "device": "phone" if rng.random() < PHONES else "desktop",
        "home": "rented" if rng.random() < TENANTS else "owned",
        "country": "NL" if rng.random() < DUTCH else "BE",
    }


def _lift(experiment: str, shown: Shown) -> float:
    return LIFT.get((experiment, shown.variant(experiment) or ""), 1.0)


def _exposure_arrives(
    experiment: str, shown: Shown, *, rng: np.random.Generator, goes_on: bool
) -> bool:
    variant = shown.variant(experiment)
    lost = rng.random() < LOST_EXPOSURES.get((experiment, variant or ""), 0.0)
    return variant is not None and (goes_on or not lost)


def _viewed(experiment: str, shown: Shown) -> dict[str, Any]:
    return {"experiment_id": experiment, "variation_id": shown.variant(experiment)}


def _pause(rng: np.random.Generator, *, hours: float) -> Wait:
    return Wait(by=timedelta(hours=min(rng.exponential(hours), 60.0)))
