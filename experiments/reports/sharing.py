"""Links by which a report is read without signing in: revocable, and over after a time."""

from datetime import datetime, timedelta

from pydantic import Field
from sqlmodel import Session, col, select

from experiments.accounts.passwords import hash_secret, new_secret
from experiments.audit import service as audit
from experiments.audit.schemas import Actor
from experiments.errors import NotFoundError
from experiments.reports import queries
from experiments.reports.models import ReportShare
from experiments.reports.schemas import ReportOut
from experiments.shapes import In, Out

PREFIX = "dls"


class ShareIn(In):
    """A new link."""

    days: int = Field(default=30, ge=1, le=365, description="After so many days it is over.")


class ShareOut(Out):
    """A link without its secret."""

    id: int
    week: str
    created_by: str
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None


class NewShareOut(ShareOut):
    """A link just made: the only time that its secret part is shown."""

    secret: str
    path: str


def share(
    session: Session, week: str, data: ShareIn, *, actor: Actor, now: datetime
) -> NewShareOut:
    """Make a link to the report of a week; only the hash of its secret is stored.

    Raises:
        NotFoundError: when there is no such report.
    """
    queries.report(session, week)
    secret = new_secret(PREFIX)
    row = ReportShare(
        week=week,
        secret_hash=hash_secret(secret),
        created_by=str(actor),
        created_at=now,
        expires_at=now + timedelta(days=data.days),
    )
    session.add(row)
    session.flush()
    _record(session, row, "report.shared", actor=actor, now=now)
    told = {"secret": secret, "path": f"/shared/{secret}"}
    return NewShareOut.model_validate({**row.model_dump(), **told})


def revoke(session: Session, number: int, *, actor: Actor, now: datetime) -> None:
    """End a link; ending it twice changes nothing.

    Raises:
        NotFoundError: when there is none with that number.
    """
    row = session.get(ReportShare, number)
    if row is None:
        raise NotFoundError("share link", number)
    if row.revoked_at is None:
        row.revoked_at = now
        _record(session, row, "report.share_revoked", actor=actor, now=now)


def shares(session: Session, week: str) -> list[ShareOut]:
    """The links to the report of a week, the newest first."""
    query = select(ReportShare).where(ReportShare.week == week)
    rows = session.exec(query.order_by(col(ReportShare.id).desc()))
    return [ShareOut.model_validate(row) for row in rows]


def shared(session: Session, secret: str, *, now: datetime) -> ReportOut:
    """The report behind a link.

    Raises:
        NotFoundError: in the same words whether the link never was, is over or was revoked.
    """
    query = select(ReportShare).where(ReportShare.secret_hash == hash_secret(secret))
    row = session.exec(query).first()
    if row is None or row.revoked_at is not None or row.expires_at <= now:
        raise NotFoundError("report behind this link; it may be over", "shared")
    return queries.report(session, row.week)


def _record(
    session: Session, row: ReportShare, action: str, *, actor: Actor, now: datetime
) -> None:
    detail = {"share": row.id}
    subject = ("report", row.week)
    audit.record(session, action, subject=subject, actor=actor, now=now, detail=detail)
