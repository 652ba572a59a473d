"""The catalogue of metrics over the API."""

from flask import Blueprint

from api import unchanged
from api.access import actor
from api.endpoint import endpoint
from api.paging import Page, Paging, page_of
from api.requests import runtime
from experiments.accounts.schemas import Scope
from experiments.database import reading, transaction
from experiments.metrics import queries, service
from experiments.metrics.schemas import MetricChangeIn, MetricIn, MetricOut

blueprint = Blueprint("metrics", __name__, url_prefix="/api/v1/metrics")


@blueprint.get("")
@endpoint(Scope.READ)
def metrics(asked: Paging) -> Page[MetricOut]:
    """Every metric."""
    with reading(runtime().engine) as session:
        return page_of(queries.metrics(session), asked, lambda item: item.key)


@blueprint.get("/<key>")
@endpoint(Scope.READ, versioned=True)
def metric(key: str) -> MetricOut:
    """One metric."""
    with reading(runtime().engine) as session:
        return queries.metric(session, key)


@blueprint.post("")
@endpoint(Scope.MANAGE, status=201)
def create_metric(data: MetricIn) -> MetricOut:
    """Add a metric to the catalogue."""
    opened = runtime()
    with transaction(opened.engine) as session:
        return service.create(session, data, actor=actor(), now=opened.clock.now())


@blueprint.put("/<key>")
@endpoint(Scope.MANAGE, versioned=True)
def update_metric(key: str, data: MetricChangeIn) -> MetricOut:
    """Correct a metric; stored analyses stay as they are."""
    opened = runtime()
    now = opened.clock.now()
    with transaction(opened.engine) as session:
        unchanged.check(service.held(session, key))
        return service.update(session, key, data.metric, reason=data.reason, actor=actor(), now=now)
