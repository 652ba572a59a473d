"""The part of a report that is about one journey."""

from collections import Counter
from collections.abc import Sequence
from typing import Protocol, TypeVar

from experiments.reports.comparing import judged
from experiments.reports.composing import headline
from experiments.reports.schemas import Body


class _OfJourney(Protocol):
    @property
    def journey(self) -> str: ...


Item = TypeVar("Item", bound=_OfJourney)


def only(body: Body, journey: str) -> Body:
    """The report for readers of one journey; the whole report when none is named.

    What promotions of all journeys brought together stays: it says how far claims can be trusted.
    """
    if not journey:
        return body

    def of(items: Sequence[Item]) -> list[Item]:
        # Reports written before entries named their journey keep those entries for everybody.
        return [item for item in items if item.journey in {journey, ""}]

    part = body.model_copy(
        update={
            name: of(getattr(body, name))
            for name in (
                "changes",
                "promoted",
                "harmful",
                "nothing_to_conclude",
                "taken_back",
                "approvals",
                "waiting",
                "probations",
                "shipped",
                "alarms",
                "learned",
                "due",
                "funnels",
            )
        }
    )
    outcomes = dict(sorted(Counter(item.outcome for item in judged(part)).items()))
    told = headline(len(part.changes), outcomes)
    return part.model_copy(update={"outcomes": outcomes, "headline": told})
