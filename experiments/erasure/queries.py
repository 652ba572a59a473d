"""Reading all that is stored of one visitor."""

from typing import TypeVar

from sqlalchemy import ColumnElement
from sqlmodel import Session, SQLModel, col, select

from experiments.assignment import queries as visitors
from experiments.assignment.models import Exposure
from experiments.erasure import mentions
from experiments.erasure.schemas import KnownOut, SeenOut
from experiments.events.models import Event, RejectedEvent
from experiments.events.schemas import EventOut, RejectedOut
from experiments.inbox.models import DeadLetter
from experiments.inbox.schemas import DeadLetterOut
from experiments.instances import queries as instances
from experiments.replay.models import LoggedResolution
from experiments.replay.schemas import LoggedOut
from experiments.shapes import Out

Shape = TypeVar("Shape", bound=Out)


def known(session: Session, value: str) -> KnownOut:
    """All that is stored of the visitor with this id.

    Raises:
        NotFoundError: when nobody with that id was ever seen, or they were forgotten.
    """
    found = visitors.visitor(session, value)
    ids = found.aliases
    return KnownOut(
        visitor=found,
        exposures=_rows(session, Exposure, col(Exposure.visitor_id) == found.id, SeenOut),
        events=_rows(session, Event, col(Event.visitor_id) == found.id, EventOut),
        journeys=instances.instances(session, value),
        answers=_rows(session, LoggedResolution, mentions.of_answers(ids), LoggedOut),
        refused=_rows(session, RejectedEvent, mentions.of_refused(ids), RejectedOut),
        dead_letters=_rows(session, DeadLetter, mentions.of_dead_letters(ids), DeadLetterOut),
    )


def _rows(
    session: Session, table: type[SQLModel], mine: ColumnElement[bool], shape: type[Shape]
) -> list[Shape]:
    return [shape.model_validate(row) for row in session.exec(select(table).where(mine))]
