"""Many rows in a few statements; what is there already is left as it is."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, SQLModel, col, select, update

from experiments.assignment.models import Assignment

Record = dict[str, Any]


def add(session: Session, table: type[SQLModel], records: Sequence[Record]) -> None:
    """Store records; one that a unique key forbids is left out."""
    if not records:
        return
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    session.connection().execute(dialect.insert(table).on_conflict_do_nothing(), records)


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
