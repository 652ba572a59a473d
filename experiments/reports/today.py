"""What needs a person today."""

from datetime import datetime, timedelta

from sqlmodel import Session

from experiments.decisions import queries as decisions
from experiments.decisions.schemas import PromotionState
from experiments.design import listing
from experiments.design import queries as designs
from experiments.design.schemas import Status
from experiments.reports.judgements import latest_sentences
from experiments.reports.schemas import OpenTest, TodayOut
from experiments.reports.trust import alarms, lights

OPEN = (Status.SCHEDULED, Status.RUNNING, Status.PAUSED, Status.MATURING)
RECENT = timedelta(days=7)


def today(session: Session, *, now: datetime) -> TodayOut:
    """Promotions to approve, alarms of the last week, and every test under way."""
    sentences = latest_sentences(session, as_of=now)
    trust = lights(session, since=now - RECENT, until=now)
    return TodayOut(
        promotions=[
            item for item in decisions.promotions(session) if item.state is PromotionState.PROPOSED
        ],
        drafts=listing.counts(session).get(Status.DRAFT, 0),
        tests=[
            OpenTest(
                experiment=item.key,
                name=item.name,
                journey=item.journey,
                status=item.status,
                started_at=item.started_at,
                sentence=sentences.get(item.id, ""),
                trust=trust.get(item.key),
            )
            for item in designs.experiments(session, statuses=OPEN)
        ],
        alarms=alarms(session, trust),
    )
