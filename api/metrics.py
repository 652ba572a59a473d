"""The catalogue of metrics over the API."""

from flask import Blueprint, Response

from api.access import actor, needs
from api.requests import answer, body, page, runtime
from experiments.accounts.schemas import Scope
from experiments.database import reading, transaction
from experiments.metrics import queries, service
from experiments.metrics.schemas import MetricChangeIn, MetricIn

blueprint = Blueprint("metrics", __name__, url_prefix="/api/v1/metrics")


@blueprint.get("")
@needs(Scope.READ)
def metrics() -> Response:
    """Every metric."""
    with reading(runtime().engine) as session:
        return page(queries.metrics(session))


@blueprint.get("/<key>")
@needs(Scope.READ)
def metric(key: str) -> Response:
    """One metric."""
    with reading(runtime().engine) as session:
        return answer(queries.metric(session, key))


@blueprint.post("")
@needs(Scope.MANAGE)
def create_metric() -> Response:
    """Add a metric to the catalogue."""
    data, opened = body(MetricIn), runtime()
    with transaction(opened.engine) as session:
        made = service.create(session, data, actor=actor(), now=opened.clock.now())
    return answer(made, 201)


@blueprint.put("/<key>")
@needs(Scope.MANAGE)
def update_metric(key: str) -> Response:
    """Correct a metric; stored analyses stay as they are."""
    change, opened = body(MetricChangeIn), runtime()
    now = opened.clock.now()
    with transaction(opened.engine) as session:
        changed = service.update(
            session, key, change.metric, reason=change.reason, actor=actor(), now=now
        )
    return answer(changed)
