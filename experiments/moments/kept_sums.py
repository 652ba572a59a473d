"""From the kept sums per hour of exposure to those of a time, exact to the microsecond.

Hours before the one in which a window ends are over as a whole; of that hour alone visitors are
looked at one by one.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from experiments.moments import relational
from experiments.moments.answering import Totals
from experiments.moments.questions import HOUR, Questions
from experiments.moments.relational import SUMS
from experiments.moments.state import OUTCOME

if TYPE_CHECKING:
    import duckdb


def kept_totals(database: duckdb.DuckDBPyConnection, asked: Questions, *, at: int) -> Totals:
    """What is kept, as it is at an instant."""
    totals = Totals()
    _add_people(totals, database, asked, at)
    totals.add_sums(database.execute(_cells(asked, at)).fetchall())
    for window, (hour, over_until) in _endings(asked, at).items():
        mine = replace(asked, slots=[slot for slot in asked.slots if slot.window == window])
        ending = (
            f"(SELECT {OUTCOME} FROM outcome "
            f"WHERE first_at >= {hour * HOUR} AND first_at <= {over_until})"
        )
        over = database.execute(relational.sums(mine, ending, as_of=at)).fetchall()
        for slot, variant, phase, _, *values in over:
            less = [-value for value in values]
            totals.add_sums([(slot, variant, phase, 1, *values), (slot, variant, phase, 0, *less)])
    totals.add_sent(
        database.execute("SELECT population, source, events, late FROM sent").fetchall()
    )
    return totals


def _add_people(
    totals: Totals, database: duckdb.DuckDBPyConnection, asked: Questions, at: int
) -> None:
    """Visitors per hour; those of an ending hour whose window is still open count as late."""
    numbers = {found.experiment: number for number, found in enumerate(asked.populations)}
    rows = database.execute(
        "SELECT experiment, variant, phase, joined_hour, visitors FROM joined"
    ).fetchall()
    for experiment, variant, phase, hour, visitors in rows:
        place = (numbers[experiment], variant, phase, hour)
        totals.add_joined([(*place, 0, visitors, hour * HOUR)])
    for hour, over_until in _endings(asked, at).values():
        late = database.execute(
            "SELECT experiment, variant, phase, COUNT(*) FROM person "
            f"WHERE first_at > {over_until} AND first_at < {(hour + 1) * HOUR} GROUP BY ALL"
        ).fetchall()
        for experiment, variant, phase, visitors in late:
            place = (numbers[experiment], variant, phase, hour)
            totals.add_joined([(*place, 0, -visitors, 0), (*place, 1, visitors, 0)])
    for experiment, number in numbers.items():
        if number in totals.newest:
            last = (
                f"SELECT MAX(first_at) FROM person WHERE experiment = {experiment} "
                f"AND first_at >= {totals.newest[number]}"
            )
            ((totals.newest[number],),) = database.execute(last).fetchall()


def _endings(asked: Questions, at: int) -> dict[int, tuple[int, int]]:
    """By window: the hour of exposure of those whose window ends now, and who is over by then."""
    return {slot.window: ((at - slot.window) // HOUR, at - slot.window) for slot in asked.slots}


def _cells(asked: Questions, at: int) -> str:
    endings = _endings(asked, at)
    hours = ", ".join(f"({slot.number}, {endings[slot.window][0]})" for slot in asked.slots)
    added = ", ".join(f"SUM({name}) AS {name}" for name in SUMS)
    return (
        "SELECT slot, variant, phase, CASE WHEN joined_hour < ending THEN 1 ELSE 0 END AS matured, "
        f"{added} FROM cell JOIN (VALUES {hours}) AS given(slot, ending) USING (slot) GROUP BY ALL"
    )
