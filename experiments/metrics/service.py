"""Changing the catalogue of metrics."""

from datetime import datetime

from sqlmodel import Session, select

from experiments.audit import service as audit
from experiments.audit.schemas import Actor
from experiments.errors import ConflictError, InvalidError, NotFoundError
from experiments.metrics.models import Metric
from experiments.metrics.schemas import MetricIn, MetricOut


def create(session: Session, data: MetricIn, *, actor: Actor, now: datetime) -> MetricOut:
    """Add a metric to the catalogue.

    Raises:
        ConflictError: when the key is taken.
    """
    if _row(session, data.key) is not None:
        message = f"There is a metric {data.key!r} already; choose another key or change that one."
        raise ConflictError(message)
    row = Metric(**data.model_dump(mode="json"), created_at=now)
    session.add(row)
    session.flush()
    audit.record(session, "metric.created", subject=("metric", data.key), actor=actor, now=now)
    return MetricOut.model_validate(row)


def held(session: Session, key: str) -> MetricOut:
    """A metric as it stands, which nobody else changes until the transaction ends.

    Raises:
        NotFoundError: when there is no such metric.
    """
    query = select(Metric).where(Metric.key == key).with_for_update()
    row = session.exec(query).one_or_none()
    if row is None:
        raise NotFoundError("metric", key)
    return MetricOut.model_validate(row)


def update(
    session: Session, key: str, data: MetricIn, *, reason: str, actor: Actor, now: datetime
) -> MetricOut:
    """Correct a metric; analyses from now on use it, stored ones keep what they were made with.

    Raises:
        NotFoundError: when there is no such metric.
        InvalidError: when the key differs.
        ConflictError: when the kind differs, because that would be another metric.
    """
    row = _row(session, key)
    if row is None:
        raise NotFoundError("metric", key)
    if data.key != key:
        raise InvalidError.at("/key", f"must stay {key!r}; make a new metric for another key")
    if row.kind != data.kind:
        message = f"Metric {key!r} is of kind {row.kind}; make a new metric for another kind."
        raise ConflictError(message)
    before = MetricOut.model_validate(row).model_dump(mode="json", exclude={"id", "created_at"})
    after = data.model_dump(mode="json")
    row.sqlmodel_update(after)
    session.flush()
    audit.record(
        session,
        "metric.updated",
        subject=("metric", key),
        actor=actor,
        now=now,
        reason=reason,
        detail={"before": before, "after": after},
    )
    return MetricOut.model_validate(row)


def _row(session: Session, key: str) -> Metric | None:
    return session.exec(select(Metric).where(Metric.key == key)).one_or_none()
