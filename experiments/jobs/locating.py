"""Deriving who stands where on each journey, from the events that came since the last time."""

from datetime import datetime, timedelta

from experiments.database import reading, transaction
from experiments.events import history
from experiments.instances import service as instances
from experiments.journeys import queries as journeys
from experiments.runtime import Runtime

BATCH = 500
SETTLING = timedelta(minutes=5)
"""Events of other processes can become visible after newer ones, so these are looked at again."""


def locate(runtime: Runtime) -> str:
    """Bring every journey's instances up to date; a batch of visitors is one transaction."""
    now = runtime.clock.now()
    with reading(runtime.engine) as session:
        published = [item.key for item in journeys.journeys(session) if item.standard]
    changed = sum(_locate(runtime, key, now=now) for key in published)
    return f"{changed} visitors moved" if changed else ""


def _locate(runtime: Runtime, journey: str, *, now: datetime) -> int:
    with reading(runtime.engine) as session:
        since = instances.progress(session, journey)
        settled = history.newest_before(session, now - SETTLING, after=since)
        names = {
            stage.entry_rule.event
            for item in journeys.publications(session, journey)
            for stage in item.graph.stages
        }
    changed, last = 0, 0
    while True:
        with transaction(runtime.engine) as session:
            visitors = history.visitors_since(session, since, after=last, limit=BATCH)
            if not visitors:
                instances.note_progress(session, journey, settled)
                return changed
            done = history.happenings(session, visitors, names)
            changed += instances.derive(session, journey, done)
            last = visitors[-1]
