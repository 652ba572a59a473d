"""Many rows in a few statements; what is there already is left as it is."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import insert
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, SQLModel, col, select, update

from experiments.assignment.models import Alias, Assignment, Visitor
from experiments.assignment.schemas import AliasKind

Record = dict[str, Any]


def add(session: Session, table: type[SQLModel], records: Sequence[Record]) -> None:
    """Store records; one that a unique key forbids is left out."""
    if not records:
        return
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    session.connection().execute(dialect.insert(table).on_conflict_do_nothing(), records)


def visitors(session: Session, first_seen: Mapping[str, datetime]) -> dict[str, int]:
    """Whose ids these are; ids never seen become new visitors, seen first at the time given."""
    known = _known(session, list(first_seen))
    unknown = [value for value in first_seen if value not in known]
    if not unknown:
        return known
    made = session.connection().execute(
        insert(Visitor).returning(col(Visitor.id), sort_by_parameter_order=True),
        [{"created_at": first_seen[value]} for value in unknown],
    )
    aliases = [
        {
            "value": value,
            "kind": AliasKind.USER,
            "visitor_id": visitor_id,
            "created_at": first_seen[value],
        }
        for value, visitor_id in zip(unknown, made.scalars(), strict=True)
    ]
    add(session, Alias, aliases)
    # Asked again, because somebody else may have brought one of the ids meanwhile.
    return known | _known(session, unknown)


def arms(session: Session, experiment_id: int, visitor_ids: Sequence[int]) -> dict[int, int]:
    """The variant of each of these visitors who is in the experiment."""
    query = select(Assignment.visitor_id, Assignment.variant_id).where(
        Assignment.experiment_id == experiment_id, col(Assignment.visitor_id).in_(visitor_ids)
    )
    return dict(session.exec(query).all())


def contaminate(session: Session, experiment_id: int, visitor_ids: Sequence[int]) -> None:
    """Mark visitors who turned up in a second arm."""
    if visitor_ids:
        session.exec(
            update(Assignment)
            .where(
                col(Assignment.experiment_id) == experiment_id,
                col(Assignment.visitor_id).in_(visitor_ids),
            )
            .values(contaminated=True)
        )


def _known(session: Session, values: Sequence[str]) -> dict[str, int]:
    query = select(Alias.value, Alias.visitor_id).where(col(Alias.value).in_(values))
    return dict(session.exec(query).all())
