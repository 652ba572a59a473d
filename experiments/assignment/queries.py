"""Reading visitors and their arms."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection, func
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlmodel import Session, col, select

from experiments.assignment.models import Alias, Assignment, Attribute, Exposure, Visitor
from experiments.assignment.schemas import AssignmentOut, Known, StoredArm, VisitorOut
from experiments.database import fetched, run
from experiments.errors import NotFoundError
from experiments.inbox.rows import among

_ARM = (
    "assignment.experiment_id, assignment.variant_id, assignment.phase_id, assignment.bucket, "
    "exposure.id"
)
_SEEN = (
    "LEFT JOIN exposure ON exposure.visitor_id = assignment.visitor_id "
    "AND exposure.experiment_id = assignment.experiment_id"
)
_KNOWN = (
    f"SELECT alias.visitor_id, {_ARM} FROM alias "  # noqa: S608 (names of ours)
    f"LEFT JOIN assignment ON assignment.visitor_id = alias.visitor_id {_SEEN} "
    "WHERE alias.value = ?"
)
_ARMS = f"SELECT assignment.visitor_id, {_ARM} FROM assignment {_SEEN}"  # noqa: S608 (names of ours)


def visitor_id(session: Session, value: str) -> int | None:
    """Whose id this is, if anybody's."""
    return session.exec(select(Alias.visitor_id).where(Alias.value == value)).first()


def known(cursor: DBAPICursor, value: str, *, with_attributes: bool) -> Known:
    """Who an id belongs to, every arm they are in, and if wanted what is known of them."""
    rows = fetched(cursor, _KNOWN, value)
    if not rows:
        return Known()
    found = _known(rows)[rows[0][0]]
    if not with_attributes:
        return found
    query = "SELECT key, CAST(value AS TEXT) FROM attribute WHERE visitor_id = ?"
    attributes = fetched(cursor, query, found.visitor_id)
    return found._replace(attributes={key: orjson.loads(text) for key, text in attributes})


def known_visitors(connection: Connection, visitors: Collection[int]) -> dict[int, Known]:
    """Every arm that these visitors are in."""
    if not visitors:
        return {}
    query = f"{_ARMS} WHERE assignment.visitor_id {among(connection, 'BIGINT')}"
    rows = run(connection, query, orjson.dumps(list(visitors)).decode())
    return {number: Known(visitor_id=number) for number in visitors} | _known(rows)


def _known(rows: Iterable[Sequence[Any]]) -> dict[int, Known]:
    arms: defaultdict[int, dict[int, StoredArm]] = defaultdict(dict)
    exposed: defaultdict[int, set[int]] = defaultdict(set)
    for owner, experiment, variant, phase, number, exposure in rows:
        if experiment is not None:  # whoever is in no experiment has a row without an arm
            arms[owner][experiment] = StoredArm(variant, phase, number)
        else:
            arms[owner] = {}
        if exposure is not None:
            exposed[owner].add(experiment)
    return {
        owner: Known(visitor_id=owner, arms=found, exposed=frozenset(exposed[owner]))
        for owner, found in arms.items()
    }


def exposed_in(session: Session, phase_id: int) -> int:
    """How many visitors were exposed in one phase of an experiment."""
    query = select(func.count()).select_from(Exposure).where(Exposure.phase_id == phase_id)
    return session.exec(query).one()


def attributes(session: Session, visitor: int) -> dict[str, Any]:
    """What is known of a visitor."""
    query = select(Attribute).where(Attribute.visitor_id == visitor).order_by(Attribute.key)
    return {row.key: row.value for row in session.exec(query)}


def newest(session: Session, *, limit: int) -> list[tuple[str, datetime]]:
    """An id of each of those seen first last, and when that was."""
    query = (
        select(func.min(Alias.value), Visitor.created_at)
        .join(Alias, col(Alias.visitor_id) == col(Visitor.id))
        .group_by(col(Visitor.id), col(Visitor.created_at))
        .order_by(col(Visitor.id).desc())
        .limit(limit)
    )
    return [(value, at) for value, at in session.exec(query)]


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
