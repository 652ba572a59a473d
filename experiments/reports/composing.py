"""From facts to a report: pure, so that the same facts always make the same report."""

from collections import Counter
from collections.abc import Sequence
from typing import TypeVar

from experiments.decisions.schemas import Outcome
from experiments.reports.schemas import Body, Facts, Judgement

# A report is read in three minutes: of more than this the rest is counted and linked.
MOST_ENTRIES = 20
Item = TypeVar("Item")


def compose(facts: Facts) -> Body:
    """Sort the facts into what a reader asks, the most important first."""
    promoted = _with_outcome(facts, Outcome.PROMOTE)
    harmful = _with_outcome(facts, Outcome.ABORT)
    open_ended = [item for item in facts.judgements if item not in (*promoted, *harmful)]
    judged = [promoted, harmful, open_ended]
    return Body(
        week=facts.week,
        since=facts.since,
        until=facts.until,
        as_of=facts.as_of,
        headline=headline(facts),
        outcomes=dict(sorted(Counter(item.outcome for item in facts.judgements).items())),
        changes=facts.changes,
        promoted=promoted[:MOST_ENTRIES],
        harmful=harmful[:MOST_ENTRIES],
        nothing_to_conclude=open_ended[:MOST_ENTRIES],
        judgements_left_out=sum(_left_out(group) for group in judged),
        taken_back=facts.taken_back,
        waiting=facts.waiting[:MOST_ENTRIES],
        waiting_left_out=_left_out(facts.waiting),
        probations=facts.probations,
        track_record=facts.track_record,
        shipped=facts.shipped,
        alarms=facts.alarms[:MOST_ENTRIES],
        alarms_left_out=_left_out(facts.alarms),
        learned=facts.learned[:MOST_ENTRIES],
        due=facts.due[:MOST_ENTRIES],
        funnels=facts.funnels,
    )


def headline(facts: Facts) -> str:
    """The week in one or two sentences."""
    versions = _counted(len(facts.changes), "change became", "changes became")
    first = (
        f"{versions} part of a standard journey."
        if facts.changes
        else "No standard journey changed."
    )
    judged = len(facts.judgements)
    promoted = len(_with_outcome(facts, Outcome.PROMOTE))
    if not judged:
        second = "No test came to its end."
    else:
        ended = _counted(judged, "test came to its end", "tests came to their end")
        second = f"{ended}: {promoted or 'none'} with a proven winner."
    return f"{first} {second}"


def _with_outcome(facts: Facts, outcome: Outcome) -> list[Judgement]:
    return [item for item in facts.judgements if item.outcome == outcome]


def _left_out(items: Sequence[Item]) -> int:
    return max(len(items) - MOST_ENTRIES, 0)


def _counted(number: int, one: str, several: str) -> str:
    return f"{number} {one if number == 1 else several}"
