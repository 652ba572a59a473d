"""Experiments as lines of a list: light, counted by state, searched and paged in SQL."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, func, or_
from sqlalchemy.orm import Mapped
from sqlmodel import Session, col, select

from experiments.design.models import Experiment, Variant
from experiments.design.plans import Plan
from experiments.design.schemas import Purpose, Source, Status
from experiments.journeys.models import Journey
from experiments.shapes import Out


class Order(StrEnum):
    """By what a list is ordered; what is equal, by the newest."""

    NEWEST = "newest"
    NAME = "name"
    OWNER = "owner"
    STARTED = "started"
    STATE = "state"


class ExperimentLine(Out):
    """What a list shows of an experiment."""

    id: int
    key: str
    name: str
    journey: str
    touchpoint: str
    owner: str
    source: Source
    status: Status
    primary_metric: str
    plan: Plan
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None


class ArmLine(Out):
    """What a list shows of an arm."""

    experiment_id: int
    key: str
    name: str

    @property
    def called(self) -> str:
        """What people call it."""
        return self.name or self.key


_ORDERS: dict[Order, tuple[ColumnElement[Any] | Mapped[str], ...]] = {
    Order.NEWEST: (),
    Order.NAME: (func.lower(col(Experiment.name)),),
    Order.OWNER: (func.lower(col(Experiment.owner)),),
    Order.STARTED: (col(Experiment.started_at).is_(None), col(Experiment.started_at).desc()),
    Order.STATE: (col(Experiment.status),),
}


def counts(session: Session) -> dict[Status, int]:
    """How many experiments are in each state."""
    query = select(Experiment.status, func.count()).where(Experiment.purpose == Purpose.TEST)
    query = query.group_by(Experiment.status)
    return {Status(status): number for status, number in session.exec(query)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which experiments a list is of; what is empty or None leaves nothing out."""

    text: str = ""
    journey: str = ""
    owner: str = ""
    touchpoints: Collection[str] | None = None


def matching(
    session: Session, wanted: Wanted, *, order: Order = Order.NEWEST, limit: int | None = None
) -> dict[int, Status]:
    """The states of the experiments that are wanted, by id and in order; light, however many."""
    query = (
        select(Experiment.id, Experiment.status)
        .join(Journey, col(Journey.id) == Experiment.journey_id)
        .where(Experiment.purpose == Purpose.TEST, *_conditions(wanted))
        .order_by(*_ORDERS[order], col(Experiment.id).desc())
        .limit(limit)
    )
    return {number: Status(status) for number, status in session.exec(query)}


def owners(session: Session) -> list[str]:
    """Everybody who owns a test, by name."""
    query = select(Experiment.owner).where(Experiment.purpose == Purpose.TEST).distinct()
    return sorted((name for name in session.exec(query) if name), key=str.lower)


def _conditions(wanted: Wanted) -> Iterator[ColumnElement[bool]]:
    if wanted.text:
        fields = (col(Experiment.key), col(Experiment.name), col(Experiment.owner))
        yield or_(*(field.icontains(wanted.text, autoescape=True) for field in fields))
    if wanted.journey:
        yield col(Journey.key) == wanted.journey
    if wanted.owner:
        yield col(Experiment.owner) == wanted.owner
    if wanted.touchpoints is not None:
        yield col(Experiment.touchpoint).in_(wanted.touchpoints)


def lines_of(session: Session, ids: Sequence[int]) -> dict[int, ExperimentLine]:
    """The experiments with these ids."""
    query = (
        select(Experiment, Journey.key)
        .where(Experiment.journey_id == Journey.id)
        .where(col(Experiment.id).in_(ids))
    )
    found = (
        ExperimentLine.model_validate({**row.model_dump(), "journey": journey})
        for row, journey in session.exec(query)
    )
    return {line.id: line for line in found}


def arms_of(session: Session, ids: Sequence[int]) -> dict[int, ArmLine]:
    """The variants of these experiments, by their own id."""
    query = select(Variant).where(col(Variant.experiment_id).in_(ids))
    return {row.id: ArmLine.model_validate(row.model_dump()) for row in session.exec(query)}
