"""Reading the manifest."""

from collections.abc import Sequence

from sqlmodel import Session, col, select

from experiments.columnar.models import ColumnarFile, ColumnarMark
from experiments.columnar.schemas import FileOut, FileState, Kind, MarkOut


def files(session: Session, kind: Kind, *, after: int = 0) -> Sequence[FileOut]:
    """The files that count and hold rows with an id above `after`, the oldest rows first.

    A file may hold earlier rows too. `Location.path` says where each is; it stays there for an
    hour after it was dropped from the manifest.
    """
    query = (
        select(ColumnarFile)
        .where(
            col(ColumnarFile.kind) == kind,
            col(ColumnarFile.state) == FileState.LIVE,
            col(ColumnarFile.last_id) > after,
        )
        .order_by(col(ColumnarFile.first_id), col(ColumnarFile.id))
    )
    return [FileOut.model_validate(row) for row in session.exec(query)]


def names(session: Session) -> set[str]:
    """The names of all files of the manifest, whether they count or not."""
    return set(session.exec(select(ColumnarFile.name)))


def mark(session: Session, kind: Kind) -> MarkOut:
    """How far the rows of a kind have been moved: every row up to `last_id` is in a file."""
    row = session.get(ColumnarMark, kind, populate_existing=True)
    return MarkOut(kind=kind) if row is None else MarkOut.model_validate(row)
