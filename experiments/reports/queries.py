"""Reading reports."""

from sqlmodel import Session, col, select

from experiments.errors import NotFoundError
from experiments.reports.models import Report
from experiments.reports.schemas import ReportOut


def report(session: Session, week: str) -> ReportOut:
    """The report of an ISO week.

    Raises:
        NotFoundError: when none was written.
    """
    found = find(session, week)
    if found is None:
        raise NotFoundError("report", week)
    return found


def find(session: Session, week: str) -> ReportOut | None:
    """The report of an ISO week, if one was written."""
    row = session.exec(select(Report).where(Report.week == week)).one_or_none()
    return None if row is None else ReportOut.model_validate(row)


def reports(session: Session, limit: int = 200) -> list[ReportOut]:
    """The reports, newest week first."""
    rows = session.exec(select(Report).order_by(col(Report.week).desc()).limit(limit))
    return [ReportOut.model_validate(row) for row in rows]
