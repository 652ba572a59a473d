"""Reading and searching learnings, the same on every database."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, func, or_, select
from sqlmodel.sql.expression import Select

from experiments.design.models import Experiment
from experiments.design.schemas import Purpose, Source
from experiments.errors import NotFoundError
from experiments.journeys.models import Journey
from experiments.learnings.models import Learning
from experiments.learnings.redrafting import stem
from experiments.learnings.schemas import LearningOut, Noted, Search

PAGE = 50
_Retest = aliased(Experiment)


def search(
    session: Session,
    asked: Search,
    *,
    now: datetime,
    before: int | None = None,
    limit: int = PAGE,
) -> list[LearningOut]:
    """The learnings that fit, the newest first, older than learning `before` if given."""
    query = _learnings().where(*_conditions(asked, now))
    if before is not None:
        query = query.where(col(Learning.id) < before)
    rows = session.exec(query.order_by(col(Learning.id).desc()).limit(limit))
    return [_out(*row) for row in rows]


def count(session: Session, asked: Search, *, now: datetime) -> int:
    """How many learnings fit."""
    query = (
        select(func.count())
        .select_from(Learning)
        .join(Experiment, col(Experiment.id) == Learning.experiment_id)
        .join(Journey, col(Journey.id) == Learning.journey_id)
    )
    return session.exec(query.where(*_conditions(asked, now))).one()


def learning(session: Session, number: int) -> LearningOut:
    """The learning of that number.

    Raises:
        NotFoundError: when there is none.
    """
    row = session.exec(_learnings().where(Learning.id == number)).one_or_none()
    if row is None:
        raise NotFoundError("learning", number)
    return _out(*row)


def of_experiment(session: Session, key: str) -> LearningOut | None:
    """What an experiment taught, once it has ended."""
    row = session.exec(_learnings().where(Experiment.key == key)).one_or_none()
    return None if row is None else _out(*row)


def by_touchpoint(session: Session, journey: str) -> dict[str, Noted]:
    """How much was learned at each touchpoint of a journey, and the newest of it."""
    counted = (
        select(Learning.touchpoint, func.count(), func.max(Learning.id))
        .join(Journey, col(Journey.id) == Learning.journey_id)
        .where(Journey.key == journey)
        .group_by(Learning.touchpoint)
    )
    rows = session.exec(counted).all()
    newest = session.exec(_learnings().where(col(Learning.id).in_([row[2] for row in rows])))
    found = {out.touchpoint: out for out in (_out(*row) for row in newest)}
    return {point: Noted(number=number, newest=found[point]) for point, number, _ in rows}


def written_between(
    session: Session, since: datetime, until: datetime, *, limit: int
) -> list[LearningOut]:
    """What was learned in a period, in the order it was written."""
    query = _learnings().where(col(Learning.created_at) >= since, col(Learning.created_at) < until)
    return [_out(*row) for row in session.exec(query.order_by(col(Learning.id)).limit(limit))]


def due_between(
    session: Session, since: datetime, until: datetime, *, as_of: datetime, limit: int
) -> list[LearningOut]:
    """What became due for another test in a period and had none by `as_of`."""
    query = (
        _learnings()
        .where(col(Learning.review_by) >= since, col(Learning.review_by) < until)
        .where(col(Learning.created_at) <= as_of)
        .where(or_(col(Learning.retested_at).is_(None), col(Learning.retested_at) > as_of))
    )
    return [_out(*row) for row in session.exec(query.order_by(col(Learning.id)).limit(limit))]


def unlearned(session: Session, *, limit: int) -> list[str]:
    """The tests that have ended and have not left a learning yet, the first to end first."""
    query = (
        select(Experiment.key)
        .outerjoin(Learning, col(Learning.experiment_id) == col(Experiment.id))
        .where(col(Learning.id).is_(None), col(Experiment.ended_at).is_not(None))
        .where(Experiment.purpose == Purpose.TEST)
        .order_by(col(Experiment.ended_at), col(Experiment.id))
        .limit(limit)
    )
    return list(session.exec(query))


def redrafts(session: Session, key: str) -> list[str]:
    """The keys in use that a redraft of an experiment could want."""
    query = select(Experiment.key).where(col(Experiment.key).startswith(stem(key), autoescape=True))
    return list(session.exec(query))


def spaced(tags: Sequence[str]) -> str:
    """Tags in one text, each surrounded by blanks."""
    return f" {' '.join(tags)} " if tags else ""


def _conditions(asked: Search, now: datetime) -> list[ColumnElement[bool]]:
    words = [
        col(Learning.words).contains(word, autoescape=True)
        for word in asked.text.casefold().split()
    ]
    scope = {
        Journey.key: asked.journey,
        Learning.stage: asked.stage,
        Learning.touchpoint: asked.touchpoint,
        Learning.persona: asked.persona,
        Learning.strength: asked.strength,
    }
    found = words + [col(field) == wanted for field, wanted in scope.items() if wanted]
    if asked.tag:
        found.append(col(Learning.tags).contains(spaced([asked.tag]), autoescape=True))
    if asked.due:
        found += [
            col(Learning.review_by) <= now,
            col(Learning.retested_at).is_(None),
            # What was imported was never shown here, so it cannot be shown again.
            col(Experiment.source) == Source.LIVE,
        ]
    return found


def _learnings() -> Select[Learning, Experiment, str, str]:
    return (
        select(Learning, Experiment, Journey.key, _Retest.key)
        .join(Experiment, col(Experiment.id) == Learning.experiment_id)
        .join(Journey, col(Journey.id) == Learning.journey_id)
        .outerjoin(_Retest, col(_Retest.id) == Learning.retest_id)
    )


def _out(row: Learning, experiment: Experiment, journey: str, retest: str | None) -> LearningOut:
    return LearningOut.model_validate(
        {
            **row.model_dump(),
            "experiment": experiment.key,
            "name": experiment.name,
            "status": experiment.status,
            "journey": journey,
            "tags": row.tags.split(),
            "retest": retest,
        }
    )
