"""What needs a person today."""

from collections import Counter
from datetime import datetime, timedelta

from sqlmodel import Session

from experiments.aa.queries import aa
from experiments.analysis.schemas import Trust
from experiments.decisions import queries as decisions
from experiments.decisions.schemas import PromotionState
from experiments.design import listing
from experiments.design import queries as designs
from experiments.design.schemas import ExperimentOut, Status
from experiments.probation.queries import probations
from experiments.probation.track_record import track_record
from experiments.reports.gathering import changes
from experiments.reports.judgements import latest_sentences
from experiments.reports.outlook import simulated
from experiments.reports.schemas import OpenTest, TodayOut
from experiments.reports.simulated import last_run
from experiments.reports.trust import alarms, lights

OPEN = (Status.SCHEDULED, Status.RUNNING, Status.PAUSED, Status.MATURING)
RECENT = timedelta(days=7)


def today(session: Session, *, now: datetime) -> TodayOut:
    """What waits for a person, the tests under way by their end, and a week's changes."""
    trust = lights(session, since=now - RECENT, until=now)
    return TodayOut(
        promotions=[
            item for item in decisions.promotions(session) if item.state is PromotionState.PROPOSED
        ],
        drafts=listing.counts(session).get(Status.DRAFT, 0),
        tests=_tests(session, trust, now=now),
        alarms=alarms(session, trust),
        changes=changes(session, since=now - RECENT, until=now),
        lights=dict(Counter(item.light for item in trust.values())),
        aa=aa(session, now=now),
        track_record=track_record(probations(session)),
        simulated=simulated(last_run()),
    )


def _tests(session: Session, trust: dict[str, Trust], *, now: datetime) -> list[OpenTest]:
    """Those that end first, first; those that have not begun, last."""
    sentences = latest_sentences(session, as_of=now)
    found = [
        OpenTest(
            experiment=item.key,
            name=item.name,
            journey=item.journey,
            status=item.status,
            started_at=item.started_at,
            ends_at=_end(item),
            sentence=sentences.get(item.id, ""),
            trust=trust.get(item.key),
        )
        for item in designs.experiments(session, statuses=OPEN)
    ]
    return sorted(found, key=lambda test: (test.ends_at is None, test.ends_at or now, test.name))


def _end(item: ExperimentOut) -> datetime | None:
    """When new visitors are no longer taken, at the latest; the last of them mature after it."""
    return item.started_at and item.started_at + timedelta(days=item.plan.maximum_days)
