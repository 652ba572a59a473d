"""How long everybody was followed and when they converted: the counts behind survival curves."""

from dataclasses import dataclass

from experiments.moments.answering import Source, judge
from experiments.moments.questions import HOUR, Questions
from experiments.moments.relational import gathered, outcomes, whole

STEPS = 60
"""Points of a curve: each as many minutes after the one before as the window has hours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """Visitors of one arm and phase who left at one step, converted or not followed farther."""

    variant: int
    phase: int
    step: int
    converted: bool
    visitors: int


def followed(asked: Questions, source: Source, *, as_of: int) -> list[Followed]:
    """How long the visitors of the one slot were followed, in whole steps, and who converted.

    The step during which somebody's time ran out is left out whether they converted in it or not:
    counting only the conversions would make the newest visitors look quick.
    """
    judge(asked, source)
    (slot,) = asked.slots
    width = slot.metric.window_hours * HOUR // STEPS
    visitors: dict[tuple[int, ...], int] = {}
    for tables in source.passes:
        given = source.keep(gathered(asked, tables, source.dialect, as_of=as_of))
        rows = source.query(
            "WITH aged AS (SELECT people.variant, people.phase, "
            f"{whole('outcome.took', width)} AS step, "
            f"LEAST({whole(f'({as_of} - people.first_at)', width)}, {STEPS}) AS age "
            f"FROM {given.people} people LEFT JOIN ({outcomes(asked, given)}) outcome "
            "ON outcome.visitor = people.visitor AND outcome.hits > 0), "
            "judged AS (SELECT variant, phase, step, age, "
            "CASE WHEN step < age THEN 1 ELSE 0 END AS converted FROM aged) "
            "SELECT variant, phase, CASE WHEN converted = 1 THEN step + 1 ELSE age END AS step, "
            "converted, COUNT(*) FROM judged GROUP BY 1, 2, 3, 4"
        )
        for *key, count in rows:
            place = tuple(int(part) for part in key)
            visitors[place] = visitors.get(place, 0) + count
    return _counted(visitors)


def _counted(visitors: dict[tuple[int, ...], int]) -> list[Followed]:
    return [
        Followed(variant=variant, phase=phase, step=step, converted=bool(done), visitors=count)
        for (variant, phase, step, done), count in sorted(visitors.items())
        if step > 0
    ]
