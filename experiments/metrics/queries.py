"""Reading the catalogue of metrics."""

from collections.abc import Collection

from sqlmodel import Session, col, select

from experiments.errors import NotFoundError
from experiments.metrics.models import Metric
from experiments.metrics.schemas import MetricOut


def metric(session: Session, key: str) -> MetricOut:
    """The metric of that key.

    Raises:
        NotFoundError: when there is none.
    """
    row = session.exec(select(Metric).where(Metric.key == key)).one_or_none()
    if row is None:
        raise NotFoundError("metric", key)
    return MetricOut.model_validate(row)


def metrics(session: Session) -> list[MetricOut]:
    """Every metric, by key."""
    rows = session.exec(select(Metric).order_by(Metric.key))
    return [MetricOut.model_validate(row) for row in rows]


def existing(session: Session, keys: Collection[str]) -> set[str]:
    """Those of `keys` that are in the catalogue."""
    return set(session.exec(select(Metric.key).where(col(Metric.key).in_(keys))))
