"""The hidden truth of a simulated year: what each of its experiments really does."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

PAGE, BANNER = "page", "banner"
"""The touchpoints: showing the page is seeing it, the banner reports what it showed."""

PAGE_SLOTS = tuple(f"part-{number}" for number in range(1, 10))
BANNER_SLOTS = tuple(f"strip-{number}" for number in range(1, 4))
ROUND_DAYS = 70
"""A test of four weeks, its probation of four weeks, their windows, and some days between."""


class Truth(StrEnum):
    """What a variant really does."""

    NOTHING = "nothing"
    BETTER = "better"
    FADING = "better until promoted, then nothing"
    SOURING = "better until promoted, then worse"
    HARMFUL = "harmful"
    DEAD = "dead: nobody can buy"
    SPLIT = "nothing, and loses exposures of those who do not buy"
    SOONER = "sooner, not more"


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What a variant does to the logarithm of the odds to buy, in its test and as standard."""

    tested: float = 0.0
    lasting: float = 0.0


EFFECTS = {
    Truth.NOTHING: Effect(),
    Truth.BETTER: Effect(tested=0.5, lasting=0.5),
    Truth.FADING: Effect(tested=0.5),
    Truth.SOURING: Effect(tested=0.5, lasting=-0.7),
    Truth.HARMFUL: Effect(tested=-0.8, lasting=-0.8),
    Truth.DEAD: Effect(tested=-np.inf, lasting=-np.inf),
    Truth.SPLIT: Effect(),
    Truth.SOONER: Effect(),
}
SHARES = {
    Truth.BETTER: 0.15,
    Truth.FADING: 0.05,
    Truth.SOURING: 0.1,
    Truth.HARMFUL: 0.1,
    Truth.DEAD: 0.05,
    Truth.SPLIT: 0.05,
    Truth.SOONER: 0.05,
}
"""Of all experiments; the others do nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One experiment of the year: where, in which round, and what it really does."""

    key: str
    touchpoint: str
    slot: str
    round: int
    truth: Truth

    @property
    def effect(self) -> Effect:
        """What its variant does."""
        return EFFECTS[self.truth]


def portfolio(rounds: int, rng: np.random.Generator) -> list[Trial]:
    """Experiments for every slot in every round, with truths dealt out at random.

    What loses exposures can only do so on the banner, which reports them itself.
    """
    places = [
        (number, touchpoint, slot)
        for number in range(rounds)
        for touchpoint, slots in ((PAGE, PAGE_SLOTS), (BANNER, BANNER_SLOTS))
        for slot in slots
    ]
    truths = _dealt(places, rng)
    return [
        Trial(
            key=f"{slot}-{number + 1}", touchpoint=touchpoint, slot=slot, round=number, truth=truth
        )
        for (number, touchpoint, slot), truth in zip(places, truths, strict=True)
    ]


def _dealt(places: list[tuple[int, str, str]], rng: np.random.Generator) -> list[Truth]:
    counts = {truth: max(1, round(share * len(places))) for truth, share in SHARES.items()}
    found = [Truth.NOTHING] * len(places)
    banner = [n for n, (_, touchpoint, _) in enumerate(places) if touchpoint == BANNER]
    splits = rng.choice(banner, size=counts.pop(Truth.SPLIT), replace=False)
    rest = rng.permutation(np.setdiff1d(np.arange(len(places)), splits))
    for place in splits:
        found[place] = Truth.SPLIT
    dealt = [truth for truth, count in counts.items() for _ in range(count)]
    for place, truth in zip(rest, dealt, strict=False):
        found[place] = truth
    return found
