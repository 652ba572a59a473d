"""First steps: a journey, the snippet for the site, the first event, the first test."""

from flask import Blueprint, Response, flash, make_response, redirect, render_template, url_for

from experiments.accounts import queries as accounts
from experiments.accounts import service
from experiments.accounts.schemas import PUBLIC_SCOPES, Role, TokenIn
from experiments.database import reading, transaction
from experiments.design import listing
from experiments.errors import InvalidError
from experiments.events import queries as events
from experiments.journeys import queries as journeys
from experiments.shapes import parse
from experiments.simulation import tryout
from web import access
from web.access import Page
from web.requests import runtime, text

blueprint = Blueprint("start", __name__, template_folder="templates")
LOOK_AGAIN_SECONDS = "5"


@blueprint.get("/start")
@access.needs(Role.VIEWER)
def page() -> Response:
    """How far this installation has come; read again by the browser until an event arrives."""
    return _page()


@blueprint.post("/start/site")
@access.needs(Role.ADMIN)
def connect() -> Page:
    """Make the public key that the pages of a site carry."""
    now, actor = runtime().clock.now(), access.actor()
    origin = text("origin").rstrip("/")
    fields = {"name": origin, "scopes": sorted(PUBLIC_SCOPES), "origins": [origin]}
    try:
        data = parse(TokenIn, fields)
        with transaction(runtime().engine) as session:
            service.create_token(session, data, actor=actor, now=now)
    except InvalidError as error:
        return _page(error)
    flash(f"The pages of {origin} may ask and send now.", "good")
    return redirect(url_for("start.page"))


def _page(error: Exception | None = None) -> Response:
    opened = runtime()
    with reading(opened.engine) as session:
        keys = [token for token in accounts.tokens(session) if token.client_key]
        sites = [token for token in keys if token.revoked_at is None]
        senders = events.senders(session, now=opened.clock.now())
        found = journeys.journeys(session)
        tests = sum(listing.counts(session).values())
    arrived = [sender for sender in senders if sender.last_at]
    body = render_template(
        "start/page.html",
        journeys=found,
        sites=sites,
        arrived=arrived,
        tests=tests,
        error=error,
        base_url=opened.settings.base_url,
        demo=tryout.state(opened.settings, now=opened.clock.now()),
    )
    response = make_response(body, 422 if error else 200)
    if sites and not arrived and not error:
        response.headers["Refresh"] = LOOK_AGAIN_SECONDS
    return response
