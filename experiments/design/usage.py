"""What is used where: metrics by experiments, the parts of layers by experiments."""

from collections import defaultdict

from sqlmodel import Session, col, select

from experiments.design.models import Experiment, Layer
from experiments.design.schemas import Purpose, Status
from experiments.shapes import Out


class MetricUser(Out):
    """An experiment that uses a metric, and as what."""

    key: str
    name: str
    status: Status
    role: str


class Placed(Out):
    """An experiment and its part of a layer, from 0 to 1."""

    key: str
    name: str
    status: Status
    start: float
    end: float


def metric_users(session: Session) -> dict[str, list[MetricUser]]:
    """The experiments that use each metric, by the metric's key, the newest first."""
    found: dict[str, list[MetricUser]] = defaultdict(list)
    query = select(Experiment).where(Experiment.purpose == Purpose.TEST)
    for row in session.exec(query.order_by(col(Experiment.id).desc())):
        roles = [
            (row.primary_metric, "primary"),
            *((metric, "secondary") for metric in row.secondary_metrics),
            *((guardrail["metric"], "guardrail") for guardrail in row.guardrails),
        ]
        for metric, role in roles:
            user = MetricUser(key=row.key, name=row.name, status=Status(row.status), role=role)
            found[metric].append(user)
    return dict(found)


def placed(session: Session) -> dict[str, list[Placed]]:
    """The experiments in each layer that are not archived, by the layer's key, by their parts."""
    query = (
        select(Layer.key, Experiment)
        .where(Experiment.layer_id == Layer.id, Experiment.status != Status.ARCHIVED)
        .order_by(col(Experiment.layer_start), col(Experiment.id))
    )
    found: dict[str, list[Placed]] = defaultdict(list)
    for layer, row in session.exec(query):
        part = {"start": row.layer_start, "end": row.layer_end}
        found[layer].append(Placed.model_validate({**row.model_dump(), **part}))
    return dict(found)
