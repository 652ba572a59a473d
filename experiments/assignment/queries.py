"""Reading visitors and their arms."""

from collections.abc import Sequence
from typing import Any

from sqlmodel import Session, col, select

from experiments.assignment.models import Alias, Assignment, Attribute, Visitor
from experiments.assignment.schemas import AssignmentOut, Known, VisitorOut
from experiments.errors import NotFoundError


def visitor_id(session: Session, value: str) -> int | None:
    """Whose id this is, if anybody's."""
    return session.exec(select(Alias.visitor_id).where(Alias.value == value)).first()


def known(session: Session, value: str) -> Known:
    """Who an id belongs to and every arm they are in, in one indexed look-up."""
    query = (
        select(Alias.visitor_id, Assignment)
        .outerjoin(Assignment, col(Assignment.visitor_id) == col(Alias.visitor_id))
        .where(Alias.value == value)
    )
    rows: Sequence[tuple[int, Assignment | None]] = session.exec(
        query.execution_options(populate_existing=True)
    ).all()
    if not rows:
        return Known()
    arms = [AssignmentOut.model_validate(arm) for _, arm in rows if arm is not None]
    return Known(visitor_id=rows[0][0], assignments={arm.experiment_id: arm for arm in arms})


def assignment(session: Session, *, experiment_id: int, visitor_id: int) -> AssignmentOut:
    """The arm of a visitor who is known to be in the experiment."""
    query = select(Assignment).where(
        Assignment.experiment_id == experiment_id, Assignment.visitor_id == visitor_id
    )
    row = session.exec(query.execution_options(populate_existing=True)).one()
    return AssignmentOut.model_validate(row)


def attributes(session: Session, visitor: int) -> dict[str, Any]:
    """What is known of a visitor."""
    query = select(Attribute).where(Attribute.visitor_id == visitor).order_by(Attribute.key)
    return {row.key: row.value for row in session.exec(query)}


def visitor(session: Session, value: str) -> VisitorOut:
    """The visitor that an id belongs to.

    Raises:
        NotFoundError: when nobody with that id was ever seen.
    """
    found = visitor_id(session, value)
    if found is None:
        raise NotFoundError("visitor", value)
    row = session.get_one(Visitor, found)
    aliases = select(Alias.value).where(Alias.visitor_id == found).order_by(Alias.value)
    arms = select(Assignment).where(Assignment.visitor_id == found)
    return VisitorOut(
        id=found,
        created_at=row.created_at,
        aliases=list(session.exec(aliases)),
        attributes=attributes(session, found),
        assignments=[
            AssignmentOut.model_validate(arm)
            for arm in session.exec(arms.order_by(col(Assignment.assigned_at)))
        ],
    )
