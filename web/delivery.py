"""Who is told what: mail, Slack, webhooks, audiences of the report, and the outbox."""

from functools import partial

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from experiments.accounts.schemas import Role
from experiments.database import reading, transaction
from experiments.delivery import queries, service
from experiments.delivery.couriers import bring
from experiments.delivery.schemas import EndpointIn, EventType, NewEndpointOut, TrialOut
from experiments.errors import InvalidError, NotFoundError
from experiments.journeys import queries as journeys
from experiments.mailings import service as mailings
from experiments.mailings.schemas import WEEKDAYS, MailTrialIn, SubscriptionIn
from experiments.mailings.trying import try_mail
from experiments.shapes import parse
from web import access
from web.access import Page
from web.requests import runtime, text

blueprint = Blueprint("delivery", __name__, template_folder="templates")
DELIVERIES_SHOWN = 30
KINDS = (("webhook", "Webhook: signed JSON"), ("slack", "Slack: an incoming webhook"))
DAYS = tuple(enumerate(WEEKDAYS, start=1))
HOURS = tuple((hour, f"{hour:02}:00") for hour in range(24))


@blueprint.get("/settings/delivery")
@access.needs(Role.VIEWER)
def index() -> str:
    """Audiences and outbox for everybody; addresses for administrators."""
    return _page()


@blueprint.post("/settings/delivery/endpoints")
@access.needs(Role.ADMIN)
def add_endpoint() -> Page:
    """Add a webhook or a Slack channel."""
    now, actor = runtime().clock.now(), access.actor()
    fields = {name: text(name) for name in ("kind", "name", "url")}
    try:
        data = parse(EndpointIn, {**fields, "events": request.form.getlist("events")})
        with transaction(runtime().engine) as session:
            made = service.add_endpoint(session, data, actor=actor, now=now)
    except InvalidError as error:
        return _page(error), 422
    return _page(made=made)


@blueprint.post("/settings/delivery/endpoints/<int:number>/end")
@access.needs(Role.ADMIN)
def end_endpoint(number: int) -> Response:
    """Tell it nothing any more."""
    now, actor = runtime().clock.now(), access.actor()
    with transaction(runtime().engine) as session:
        service.end_endpoint(session, number, actor=actor, now=now)
    flash("It is told nothing any more.", "good")
    return redirect(url_for("delivery.index"))


@blueprint.post("/settings/delivery/endpoints/<int:number>/test")
@access.needs(Role.ADMIN)
def test_endpoint(number: int) -> Response:
    """Send a greeting now and say what happened."""
    opened, now = runtime(), runtime().clock.now()
    carry = partial(bring, settings=opened.settings, now=now)
    told = service.try_endpoint(opened.engine, number, carry, actor=access.actor(), now=now)
    return _told(told)


@blueprint.post("/settings/delivery/mail/test")
@access.needs(Role.ADMIN)
def test_mail() -> Page:
    """Send a test mail now and say what happened."""
    opened, now = runtime(), runtime().clock.now()
    try:
        asked = parse(MailTrialIn, {"recipient": text("recipient")})
    except InvalidError as error:
        return _page(error), 422
    told = try_mail(opened.engine, opened.settings, asked.recipient, actor=access.actor(), now=now)
    return _told(told)


@blueprint.post("/settings/delivery/subscriptions")
@access.needs(Role.EDITOR)
def subscribe() -> Page:
    """Add an audience of the weekly report."""
    now, actor = runtime().clock.now(), access.actor()
    fields = {
        "audience": text("audience"),
        "journey": text("journey"),
        "recipients": text("recipients").replace(",", " ").split(),
        "endpoint_id": text("endpoint_id") or None,
        "weekday": text("weekday"),
        "hour": text("hour"),
        "time_zone": text("time_zone"),
    }
    try:
        with transaction(runtime().engine) as session:
            data = parse(SubscriptionIn, fields)
            made = mailings.subscribe(session, data, actor=actor, now=now)
    except (InvalidError, NotFoundError) as error:
        return _page(error), 422
    flash(f"{made.audience} gets the report {made.when}.", "good")
    return redirect(url_for("delivery.index"))


@blueprint.post("/settings/delivery/subscriptions/<int:number>/end")
@access.needs(Role.EDITOR)
def end_subscription(number: int) -> Response:
    """End a subscription."""
    now, actor = runtime().clock.now(), access.actor()
    with transaction(runtime().engine) as session:
        mailings.end(session, number, actor=actor, now=now)
    flash("The subscription is ended.", "good")
    return redirect(url_for("delivery.index"))


def _told(told: TrialOut) -> Response:
    flash(told.words, "good" if told.taken else "bad")
    return redirect(url_for("delivery.index"))


def _page(error: Exception | None = None, made: NewEndpointOut | None = None) -> str:
    with reading(runtime().engine) as session:
        endpoints = queries.endpoints(session)
        subscriptions = mailings.subscriptions(session)
        sent = queries.deliveries(session, limit=DELIVERIES_SHOWN)
        keys = journeys.keys(session).values()
    return render_template(
        "delivery/index.html",
        endpoints=endpoints,
        subscriptions=subscriptions,
        deliveries=sent,
        journeys=[("", "All journeys"), *((key, key) for key in sorted(keys))],
        channels=[
            ("", "Mail, to those above"),
            *((e.id, e.name) for e in endpoints if e.kind == "slack" and not e.ended_at),
        ],
        kinds=KINDS,
        days=DAYS,
        hours=HOURS,
        events=list(EventType),
        settings=runtime().settings,
        error=error,
        made=made,
        given=request.form,
    )
