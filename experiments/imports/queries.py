"""Reading what was imported."""

from sqlmodel import Session, col, select

from experiments.imports.models import ImportRun
from experiments.imports.schemas import ImportRunOut


def imports(session: Session) -> list[ImportRunOut]:
    """Every import, the newest first; one that was interrupted has no end."""
    rows = session.exec(select(ImportRun).order_by(col(ImportRun.id).desc()))
    return [ImportRunOut.model_validate(row) for row in rows]
