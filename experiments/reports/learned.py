"""What the tests of a week taught, and which earlier learnings should be tested again."""

from datetime import datetime

from sqlmodel import Session

from experiments.learnings import queries
from experiments.learnings.schemas import LearningOut
from experiments.reports.composing import MOST_ENTRIES
from experiments.reports.schemas import Learned


def learned(session: Session, *, since: datetime, until: datetime) -> list[Learned]:
    """The learnings written in a period."""
    found = queries.written_between(session, since, until, limit=MOST_ENTRIES)
    return [_learned(item) for item in found]


def due(session: Session, *, since: datetime, until: datetime, as_of: datetime) -> list[Learned]:
    """The learnings whose review date lies in a period and that were not tested again by then."""
    found = queries.due_between(session, since, until, as_of=as_of, limit=MOST_ENTRIES)
    return [_learned(item) for item in found]


def _learned(item: LearningOut) -> Learned:
    # People may say it better later; a written report keeps the words of its time.
    return Learned(
        learning=item.id,
        experiment=item.experiment,
        name=item.name,
        statement=item.written,
        strength=item.strength,
        journey=item.journey,
    )
