"""How many visitors reached each stage of a journey in a period."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlmodel import Session

from experiments.events.reach import reach
from experiments.journeys.schemas import Stage, StageKind
from experiments.reports.schemas import FunnelStage

WEEK = timedelta(days=7)
SIDE_STAGES = (StageKind.DECLINED, StageKind.DORMANT)
"""Stages beside the path: who is there has left the way to the goal, for now."""


def funnel(
    session: Session, stages: Sequence[Stage], *, until: datetime, received_by: datetime
) -> list[FunnelStage]:
    """Visitors per stage in the seven days before `until`, beside the seven days before those."""
    rules = [stage.entry_rule for stage in stages]
    start = until - WEEK
    current = reach(session, rules, since=start, until=until, received_by=received_by)
    earlier = reach(session, rules, since=start - WEEK, until=start, received_by=received_by)
    return [
        FunnelStage(key=stage.key, name=stage.name, kind=stage.kind, visitors=now, before=before)
        for stage, now, before in zip(stages, current, earlier, strict=True)
    ]
