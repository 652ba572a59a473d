"""Reading visitors and their arms."""

from collections import defaultdict
from collections.abc import Collection
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, and_, bindparam
from sqlmodel import Session, col, select

from experiments.assignment.models import Alias, Assignment, Attribute, Exposure, Visitor
from experiments.assignment.schemas import AssignmentOut, Known, StoredArm, VisitorOut
from experiments.errors import NotFoundError

_KNOWN = (
    sa.select(
        col(Alias.value),
        col(Alias.visitor_id),
        col(Assignment.experiment_id),
        col(Assignment.variant_id),
        col(Assignment.phase_id),
        col(Assignment.bucket),
        col(Exposure.id),
    )
    .select_from(Alias)
    .outerjoin(Assignment, col(Assignment.visitor_id) == col(Alias.visitor_id))
    .outerjoin(
        Exposure,
        and_(
            col(Exposure.visitor_id) == col(Assignment.visitor_id),
            col(Exposure.experiment_id) == col(Assignment.experiment_id),
        ),
    )
    .where(col(Alias.value).in_(bindparam("values", expanding=True)))
)


def visitor_id(session: Session, value: str) -> int | None:
    """Whose id this is, if anybody's."""
    return session.exec(select(Alias.visitor_id).where(Alias.value == value)).first()


def known(session: Session, value: str) -> Known:
    """Who an id belongs to and every arm they are in, in one indexed look-up."""
    return known_by_id(session.connection(), [value]).get(value, Known())


def known_by_id(connection: Connection, values: Collection[str]) -> dict[str, Known]:
    """What is stored of whom these ids belong to, by id; ids never seen are left out.

    One look-up for all of them, as plain rows: this is on the way of every first request.
    """
    found: dict[str, Known] = {}
    arms: defaultdict[str, dict[int, StoredArm]] = defaultdict(dict)
    exposed: defaultdict[str, set[int]] = defaultdict(set)
    for value, owner, experiment, variant, phase, number, seen in connection.execute(
        _KNOWN, {"values": list(values)}
    ):
        found[value] = Known(visitor_id=owner)
        if experiment is not None:
            arms[value][experiment] = StoredArm(variant, phase, number)
        if seen is not None:
            exposed[value].add(experiment)
    return {
        value: Known(visitor_id=who.visitor_id, arms=arms[value], exposed=frozenset(exposed[value]))
        for value, who in found.items()
    }


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
