"""Writing the weekly report, once."""

import hashlib
import json
from datetime import datetime

from sqlmodel import Session

from experiments.audit import queries as audit_queries
from experiments.audit import service as audit
from experiments.audit.schemas import Actor, ActorKind
from experiments.database import insert_once
from experiments.reports import queries, weeks
from experiments.reports.composing import compose
from experiments.reports.gathering import gather
from experiments.reports.models import Report
from experiments.reports.schemas import Body, ReportOut, Simulated
from experiments.reports.simulated import last_run

WRITER = Actor(kind=ActorKind.JOB, name="weekly-report")


def weekly(session: Session, *, now: datetime, week: str = "") -> ReportOut | None:
    """The report of the week that ended last, or of `week`; written on first request.

    A week that still runs is reported up to `now`. Once written, a report never changes. There is
    none of a week that was over before anything was done here.

    Raises:
        InvalidError: when there is no such week.
    """
    named = week or weeks.ended_before(now)
    written = queries.find(session, named)
    if written is not None:
        return written
    _, until = weeks.bounds(named)
    began_at = audit_queries.began_at(session)
    if began_at is None or until <= began_at:
        return None
    body = compile_body(session, named, as_of=now, simulated=last_run())
    report = Report(
        week=named,
        as_of=now,
        data_hash=fingerprint(body),
        body=body.model_dump(mode="json"),
        created_at=now,
    )
    # Of two processes that write at the same time one does, and both return what it wrote.
    if insert_once(session, report):
        subject = ("report", named)
        audit.record(session, "report.written", subject=subject, actor=WRITER, now=now)
    return queries.report(session, named)


def so_far(session: Session, *, now: datetime) -> ReportOut:
    """What the report of the running week would say now; nothing is written."""
    week = weeks.name(now)
    body = compile_body(session, week, as_of=now, simulated=last_run())
    return ReportOut(week=week, as_of=now, data_hash=fingerprint(body), body=body, created_at=now)


def compile_body(
    session: Session, week: str, *, as_of: datetime, simulated: Simulated | None
) -> Body:
    """What the report of a week says when it is written at `as_of`, now or ever after.

    Args:
        session: the transaction.
        week: the ISO week.
        as_of: nothing later is read.
        simulated: the calibration of that time, which is part of the report and kept in it.
    """
    return compose(gather(session, week, as_of=as_of), simulated)


def fingerprint(body: Body) -> str:
    """The SHA-256 of a report as canonical JSON."""
    document = body.model_dump(mode="json")
    canonical = json.dumps(document, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()
