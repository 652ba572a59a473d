"""Events: who sends, what arrived lately, and what was refused with the reason."""

from flask import Blueprint, Response, make_response, render_template, request

from experiments.accounts.schemas import Role
from experiments.database import reading
from experiments.events import queries
from experiments.inbox import queries as inbox
from web import access
from web.requests import runtime

FOLLOW_SECONDS = "5"

blueprint = Blueprint("events", __name__, template_folder="templates")


@blueprint.get("/events")
@access.needs(Role.VIEWER)
def index() -> Response:
    """Senders, refusals (of one reason if asked) and the newest events, followed if asked."""
    reason, is_live = request.args.get("reason", ""), "live" in request.args
    opened = runtime()
    with reading(opened.engine) as session:
        page = render_template(
            "events/index.html",
            senders=queries.senders(session, now=opened.clock.now()),
            reasons=queries.reasons(session),
            reason=reason,
            rejected=queries.rejected(session, reason=reason),
            dead_letters=inbox.dead_letters(session),
            recent=queries.recent(session),
            is_live=is_live,
        )
    response = make_response(page)
    if is_live:
        response.headers["Refresh"] = FOLLOW_SECONDS
    return response
