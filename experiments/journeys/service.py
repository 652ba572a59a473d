"""Changing journeys: drafts, content, and which version is the standard."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from experiments.audit import service as audit
from experiments.audit.schemas import Actor
from experiments.errors import ConflictError, InvalidError, NotFoundError
from experiments.journeys import documents, graph, queries
from experiments.journeys.models import Content, ContentVersion, Journey, JourneyVersion
from experiments.journeys.schemas import (
    ContentIn,
    ContentOut,
    InFlight,
    JourneyGraph,
    JourneyIn,
    JourneyOut,
    TemplateIn,
    VersionIn,
    VersionOut,
    VersionStatus,
)
from experiments.metrics import queries as metric_queries
from experiments.metrics import service as metric_service


def create(session: Session, data: JourneyIn, *, actor: Actor, now: datetime) -> JourneyOut:
    """Make a journey with its contents (approved), missing metrics, and version 1 as a draft.

    Raises:
        ConflictError: when the key is taken.
        InvalidError: when the map breaks a rule.
    """
    if session.exec(select(Journey.id).where(Journey.key == data.key)).one_or_none() is not None:
        message = f"There is a journey {data.key!r} already; choose another key."
        raise ConflictError(message)
    fields = data.model_dump(include={"key", "name", "owner", "description"})
    session.add(Journey(**fields, created_at=now))
    session.flush()
    _record(session, "journey.created", data.key, actor=actor, now=now)
    known = metric_queries.existing(session, [metric.key for metric in data.metrics])
    for metric in data.metrics:
        if metric.key not in known:
            metric_service.create(session, metric, actor=actor, now=now)
    for item in data.contents:
        made = add_content(session, data.key, item, actor=actor, now=now)
        approve_content(session, data.key, made.key, made.number, actor=actor, now=now)
    draft_version(session, data.key, VersionIn(graph=data.graph), actor=actor, now=now)
    return queries.journey(session, data.key)


def create_from_template(
    session: Session, data: TemplateIn, *, actor: Actor, now: datetime
) -> JourneyOut:
    """Make a journey from a template, with the template's metrics and contents."""
    return create(session, documents.from_template(data), actor=actor, now=now)


def add_content(
    session: Session, journey: str, data: ContentIn, *, actor: Actor, now: datetime
) -> ContentOut:
    """Add content, or a new version of it when the key is known; it still needs approval.

    Raises:
        NotFoundError: when there is no such journey.
        ConflictError: when the content exists with another type.
    """
    owner = _locked(session, journey)
    query = select(Content).where(Content.journey_id == owner.id, Content.key == data.key)
    content = session.exec(query).one_or_none()
    if content is None:
        content = Content(journey_id=owner.id, key=data.key, type=data.type)
        session.add(content)
        session.flush()
    elif content.type != data.type:
        message = f"Content {data.key!r} is of type {content.type}; choose another key."
        raise ConflictError(message)
    row = ContentVersion(
        content_id=content.id,
        number=_next_content_number(session, content),
        **data.model_dump(include={"payload", "locale", "tags"}),
        created_by=str(actor),
        created_at=now,
    )
    session.add(row)
    session.flush()
    detail = {"content": data.key, "number": row.number}
    _record(session, "content.added", journey, actor=actor, now=now, detail=detail)
    return queries.content_out(content, row)


def approve_content(
    session: Session, journey: str, key: str, number: int, *, actor: Actor, now: datetime
) -> ContentOut:
    """Allow a version of a content to be shown; approving twice changes nothing.

    Raises:
        NotFoundError: when there is no such journey, content or version.
    """
    found = queries.content(session, journey, key, number)
    if found.approved_at is not None:
        return found
    owner = _locked(session, journey)
    query = (
        select(ContentVersion)
        .join(Content)
        .where(Content.journey_id == owner.id, Content.key == key, ContentVersion.number == number)
    )
    row = session.exec(query).one()
    row.approved_by, row.approved_at = str(actor), now
    session.flush()
    detail = {"content": key, "number": number}
    _record(session, "content.approved", journey, actor=actor, now=now, detail=detail)
    return queries.content(session, journey, key, number)


def draft_version(
    session: Session,
    journey: str,
    data: VersionIn,
    *,
    provenance: Mapping[str, Any] | None = None,
    actor: Actor,
    now: datetime,
) -> VersionOut:
    """Store a map as a new draft; its content may still wait for approval.

    Raises:
        NotFoundError: when there is no such journey.
        InvalidError: when the map breaks a rule.
    """
    _locked(session, journey)
    owner = queries.journey(session, journey)
    _check_map(session, journey, data.graph, for_publishing=False)
    row = JourneyVersion(
        journey_id=owner.id,
        number=owner.versions + 1,
        status=VersionStatus.DRAFT,
        parent=owner.standard,
        graph=data.graph.model_dump(mode="json"),
        note=data.note,
        provenance=dict(provenance or {}),
        created_by=str(actor),
        created_at=now,
    )
    session.add(row)
    session.flush()
    detail = {"number": row.number}
    _record(session, "journey.drafted", journey, actor=actor, now=now, detail=detail)
    return queries.version_out(row, journey)


def hold(session: Session, journey: str) -> None:
    """Let nobody else change a journey until the transaction ends.

    Raises:
        NotFoundError: when there is no such journey.
    """
    _locked(session, journey)


def held_version(session: Session, journey: str, number: int) -> VersionOut:
    """A version as it stands, which nobody else changes until the transaction ends.

    Raises:
        NotFoundError: when there is no such journey or version.
    """
    return queries.version_out(_version_row(session, _locked(session, journey), number), journey)


def redraft_version(
    session: Session, journey: str, number: int, data: VersionIn, *, actor: Actor, now: datetime
) -> VersionOut:
    """Write a draft again.

    Raises:
        NotFoundError: when there is no such journey or version.
        ConflictError: when the version is no draft any more.
        InvalidError: when the map breaks a rule.
    """
    row = _version_row(session, _locked(session, journey), number)
    if row.status != VersionStatus.DRAFT:
        message = f"Version {number} is {row.status} and never changes; store a new draft instead."
        raise ConflictError(message)
    _check_map(session, journey, data.graph, for_publishing=False)
    row.graph, row.note = data.graph.model_dump(mode="json"), data.note
    session.flush()
    detail = {"number": number}
    _record(session, "journey.redrafted", journey, actor=actor, now=now, detail=detail)
    return queries.version_out(row, journey)


def publish(
    session: Session,
    journey: str,
    number: int,
    *,
    reason: str,
    in_flight: InFlight = InFlight.NOW,
    provenance: Mapping[str, Any] | None = None,
    actor: Actor,
    now: datetime,
) -> VersionOut:
    """Make a draft the standard; publishing the standard again changes nothing.

    Args:
        session: the transaction.
        journey: key of the journey.
        number: the version to publish.
        reason: why, for the audit trail.
        in_flight: which path people under way walk from now on.
        provenance: where the version comes from, if it is not in the draft already.
        actor: who publishes.
        now: the time.

    Raises:
        NotFoundError: when there is no such journey or version.
        ConflictError: when the version was the standard before; revert to it instead.
        InvalidError: when the map breaks a rule or shows content that is not approved.
    """
    owner = _locked(session, journey)
    row = _version_row(session, owner, number)
    if row.status == VersionStatus.STANDARD:
        return queries.version_out(row, journey)
    if row.status not in {VersionStatus.DRAFT, VersionStatus.PROPOSED}:
        message = f"Version {number} is {row.status}; revert to it instead of publishing it."
        raise ConflictError(message)
    _check_map(session, journey, JourneyGraph.model_validate(row.graph), for_publishing=True)
    before = _supersede_standard(session, owner)
    row.status, row.published_at, row.in_flight = VersionStatus.STANDARD, now, in_flight
    row.provenance = dict(provenance) if provenance is not None else row.provenance
    session.flush()
    detail = {
        "number": number,
        "before": before,
        "in_flight": in_flight,
        "provenance": row.provenance,
    }
    _record(
        session, "journey.published", journey, actor=actor, now=now, reason=reason, detail=detail
    )
    return queries.version_out(row, journey)


def revert(
    session: Session, journey: str, to_number: int, *, reason: str, actor: Actor, now: datetime
) -> VersionOut:
    """Make an earlier map the standard again, as a new version.

    Raises:
        NotFoundError: when there is no such journey or version.
        ConflictError: when that version is the standard now, or never was.
    """
    target = queries.version(session, journey, to_number)
    if target.status is VersionStatus.STANDARD:
        message = f"Version {to_number} is the standard already; there is nothing to revert."
        raise ConflictError(message)
    if target.published_at is None:
        message = f"Version {to_number} was never the standard; publish it instead."
        raise ConflictError(message)
    draft = VersionIn(graph=target.graph, note=f"Reverts to version {to_number}.")
    provenance = {"revert_to": to_number}
    made = draft_version(session, journey, draft, provenance=provenance, actor=actor, now=now)
    return publish(session, journey, made.number, reason=reason, actor=actor, now=now)


def _locked(session: Session, journey: str) -> Journey:
    # Whoever changes a journey holds its row, so numbers and the standard are given out in turn.
    query = select(Journey).where(Journey.key == journey).with_for_update()
    row = session.exec(query).one_or_none()
    if row is None:
        raise NotFoundError("journey", journey)
    return row


def _version_row(session: Session, journey: Journey, number: int) -> JourneyVersion:
    query = select(JourneyVersion).where(
        JourneyVersion.journey_id == journey.id, JourneyVersion.number == number
    )
    # What this session read before it had the lock may be old by now.
    row = session.exec(query, execution_options={"populate_existing": True}).one_or_none()
    if row is None:
        raise NotFoundError(f"version of journey {journey.key!r}", number)
    return row


def _supersede_standard(session: Session, journey: Journey) -> int | None:
    query = select(JourneyVersion).where(
        JourneyVersion.journey_id == journey.id, JourneyVersion.status == VersionStatus.STANDARD
    )
    row = session.exec(query).one_or_none()
    if row is None:
        return None
    row.status = VersionStatus.SUPERSEDED
    session.flush()  # before another becomes the standard: the index allows one
    return row.number


def _next_content_number(session: Session, content: Content) -> int:
    query = select(ContentVersion.number).where(ContentVersion.content_id == content.id)
    newest = session.exec(query.order_by(col(ContentVersion.number).desc()).limit(1))
    return (newest.one_or_none() or 0) + 1


def _check_map(
    session: Session, journey: str, journey_graph: JourneyGraph, *, for_publishing: bool
) -> None:
    found = graph.problems(
        journey_graph,
        metrics={metric.key for metric in metric_queries.metrics(session)},
        contents={(item.key, item.number): item for item in queries.contents(session, journey)},
        for_publishing=for_publishing,
    )
    if found:
        raise InvalidError(found)


def _record(
    session: Session,
    action: str,
    journey: str,
    *,
    actor: Actor,
    now: datetime,
    reason: str = "",
    detail: Mapping[str, Any] | None = None,
) -> None:
    audit.record(
        session,
        action,
        subject=("journey", journey),
        actor=actor,
        now=now,
        reason=reason,
        detail=detail,
    )
