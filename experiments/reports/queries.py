"""Reading reports."""

from sqlmodel import Session, col, select

from experiments.errors import NotFoundError
from experiments.reports.comparing import Comparison, compare
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


def comparison(session: Session, earlier: str, later: str) -> Comparison:
    """How the report of one week differs from that of an earlier one.

    Raises:
        NotFoundError: when one of them was not written.
    """
    return compare(report(session, earlier).body, report(session, later).body)


def since_last(session: Session, later: ReportOut) -> Comparison | None:
    """How a report differs from the newest one before it, if there is any."""
    earlier = before(session, later.week)
    return None if earlier is None else compare(earlier.body, later.body)


def before(session: Session, week: str) -> ReportOut | None:
    """The newest report before a week, if there is any."""
    query = select(Report).where(col(Report.week) < week).order_by(col(Report.week).desc())
    row = session.exec(query.limit(1)).first()
    return None if row is None else ReportOut.model_validate(row)
