"""Webhooks, Slack channels and the outbox over the API."""

from functools import partial

from flask import Blueprint

from api.access import actor
from api.endpoint import endpoint
from api.paging import Page, Paging, page_by_id, page_of
from api.requests import runtime
from experiments.accounts.schemas import Scope
from experiments.database import reading, transaction
from experiments.delivery import queries, service
from experiments.delivery.couriers import bring
from experiments.delivery.schemas import (
    DeliveryOut,
    EndpointIn,
    EndpointOut,
    NewEndpointOut,
    TrialOut,
)
from experiments.mailings import service as mailings
from experiments.mailings.schemas import MailTrialIn, SubscriptionIn, SubscriptionOut
from experiments.mailings.trying import try_mail

blueprint = Blueprint("delivery", __name__, url_prefix="/api/v1")


@blueprint.get("/endpoints")
@endpoint(Scope.MANAGE)
def endpoints(asked: Paging) -> Page[EndpointOut]:
    """Every webhook and Slack channel, without its secret."""
    with reading(runtime().engine) as session:
        return page_of(queries.endpoints(session), asked, lambda item: item.id)


@blueprint.post("/endpoints")
@endpoint(Scope.MANAGE, status=201, secret=True)
def add_endpoint(data: EndpointIn) -> NewEndpointOut:
    """Add one; the secret that signs webhooks is in this answer only."""
    opened = runtime()
    with transaction(opened.engine) as session:
        return service.add_endpoint(session, data, actor=actor(), now=opened.clock.now())


@blueprint.delete("/endpoints/<int:number>")
@endpoint(Scope.MANAGE, status=204)
def end_endpoint(number: int) -> None:
    """Tell it nothing any more."""
    opened = runtime()
    with transaction(opened.engine) as session:
        service.end_endpoint(session, number, actor=actor(), now=opened.clock.now())


@blueprint.post("/endpoints/<int:number>/test")
@endpoint(Scope.MANAGE)
def test_endpoint(number: int) -> TrialOut:
    """Send it a greeting now and say what happened."""
    opened = runtime()
    now = opened.clock.now()
    carry = partial(bring, settings=opened.settings, now=now)
    return service.try_endpoint(opened.engine, number, carry, actor=actor(), now=now)


@blueprint.post("/mail/test")
@endpoint(Scope.MANAGE)
def test_mail(data: MailTrialIn) -> TrialOut:
    """Send a test mail now and say what happened."""
    opened = runtime()
    return try_mail(
        opened.engine, opened.settings, data.recipient, actor=actor(), now=opened.clock.now()
    )


@blueprint.get("/subscriptions")
@endpoint(Scope.READ)
def subscriptions(asked: Paging) -> Page[SubscriptionOut]:
    """Who gets the weekly report, and when."""
    with reading(runtime().engine) as session:
        return page_of(mailings.subscriptions(session), asked, lambda item: item.id)


@blueprint.post("/subscriptions")
@endpoint(Scope.MANAGE, status=201)
def subscribe(data: SubscriptionIn) -> SubscriptionOut:
    """Add an audience."""
    opened = runtime()
    with transaction(opened.engine) as session:
        return mailings.subscribe(session, data, actor=actor(), now=opened.clock.now())


@blueprint.delete("/subscriptions/<int:number>")
@endpoint(Scope.MANAGE, status=204)
def end_subscription(number: int) -> None:
    """End a subscription."""
    opened = runtime()
    with transaction(opened.engine) as session:
        mailings.end(session, number, actor=actor(), now=opened.clock.now())


@blueprint.get("/deliveries")
@endpoint(Scope.READ)
def deliveries(asked: Paging) -> Page[DeliveryOut]:
    """The outbox, the newest first: what was sent, what waits, what was not taken and why."""
    before, limit = asked.after_id, asked.limit + 1
    with reading(runtime().engine) as session:
        found = queries.deliveries(session, before=before, limit=limit)
    return page_by_id(found, asked)
