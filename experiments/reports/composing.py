"""From facts to a report: pure, so that the same facts always make the same report."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TypeVar

from experiments.decisions.schemas import Outcome
from experiments.reports.schemas import Body, Facts, Judgement, Simulated

# A report is read in three minutes: of more than this the rest is counted and linked.
MOST_ENTRIES = 20
Item = TypeVar("Item")


def compose(facts: Facts, simulated: Simulated | None = None) -> Body:
    """Sort the facts into what a reader asks, the most important first."""
    promoted = _with_outcome(facts, Outcome.PROMOTE)
    harmful = _with_outcome(facts, Outcome.ABORT)
    open_ended = [item for item in facts.judgements if item not in (*promoted, *harmful)]
    judged = [promoted, harmful, open_ended]
    outcomes = dict(sorted(Counter(item.outcome for item in facts.judgements).items()))
    return Body(
        week=facts.week,
        since=facts.since,
        until=facts.until,
        as_of=facts.as_of,
        headline=headline(len(facts.changes), outcomes),
        outcomes=outcomes,
        changes=facts.changes,
        promoted=promoted[:MOST_ENTRIES],
        harmful=harmful[:MOST_ENTRIES],
        nothing_to_conclude=open_ended[:MOST_ENTRIES],
        judgements_left_out=sum(_left_out(group) for group in judged),
        taken_back=facts.taken_back,
        approvals=facts.approvals,
        waiting=facts.waiting[:MOST_ENTRIES],
        waiting_left_out=_left_out(facts.waiting),
        probations=facts.probations,
        track_record=facts.track_record,
        simulated=simulated,
        shipped=facts.shipped,
        alarms=facts.alarms[:MOST_ENTRIES],
        alarms_left_out=_left_out(facts.alarms),
        learned=facts.learned[:MOST_ENTRIES],
        due=facts.due[:MOST_ENTRIES],
        funnels=facts.funnels,
    )


def headline(changes: int, outcomes: Mapping[Outcome, int]) -> str:
    """The week in two sentences: changes of standards, and how many tests had which outcome."""
    versions = _counted(changes, "change became", "changes became")
    first = f"{versions} part of a standard journey." if changes else "No standard journey changed."
    judged = sum(outcomes.values())
    promoted = outcomes.get(Outcome.PROMOTE, 0)
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
