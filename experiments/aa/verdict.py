"""What all A/A weeks together say of the gate; pure."""

from collections.abc import Sequence

import scipy

from experiments.aa.schemas import AaOut, AaWeek
from experiments.analysis.schemas import Light
from stats.results import NotEstimable

ALPHA = 0.05
"""What the gate promises of every test: at most this share of A/A tests is ever promoted."""

SURELY_MORE = 0.001
"""So rarely would a gate that keeps its promise show as many promotions or more."""

PERHAPS_MORE = 0.05


def conclude(weeks: Sequence[AaWeek]) -> AaOut:
    """Count the finished weeks that would have been promoted at any look."""
    finished = [week for week in weeks if week.finished]
    promoted = sum(week.promoted_looks > 0 for week in finished)
    verdict = _verdict(promoted, len(finished))
    return AaOut(
        alpha=ALPHA,
        weeks=list(weeks),
        finished=len(finished),
        promoted=promoted,
        promoted_share=(
            promoted / len(finished) if finished else NotEstimable("no week is finished yet")
        ),
        looks=sum(week.looks for week in weeks),
        promoted_looks=sum(week.promoted_looks for week in weeks),
        verdict=verdict,
        words=_words(promoted, len(finished), verdict),
    )


def _verdict(promoted: int, finished: int) -> Light:
    """By the exact chance of as many promotions when the promise is just kept."""
    if not finished:
        return Light.AMBER
    chance = float(scipy.stats.binom.sf(promoted - 1, finished, ALPHA))
    if chance < SURELY_MORE:
        return Light.RED
    return Light.AMBER if chance < PERHAPS_MORE else Light.GREEN


def _words(promoted: int, finished: int, verdict: Light) -> str:
    if not finished:
        return "No A/A week is finished yet, so there is nothing to judge by."
    told = (
        f"Of {finished} finished A/A weeks {promoted} would have been promoted; "
        f"at most {ALPHA:.0%} may be in the long run."
    )
    more = {
        Light.GREEN: "",
        Light.AMBER: " That is more than expected; watch it.",
        Light.RED: " That is too many: do not let anything be promoted before the reason is found.",
    }
    return told + more[verdict]
