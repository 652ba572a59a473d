"""What a visitor would have been shown on an earlier day."""

from datetime import UTC, datetime

from flask import Blueprint, render_template, request

from experiments.accounts.schemas import Role
from experiments.database import reading
from experiments.errors import InvalidError, NotFoundError
from experiments.journeys import queries as journeys
from experiments.replay.queries import replay
from experiments.replay.schemas import ReplayIn
from experiments.shapes import parse
from web import access
from web.access import Page
from web.requests import runtime

blueprint = Blueprint("replay", __name__, template_folder="templates")


@blueprint.get("/replay")
@access.needs(Role.VIEWER)
def show() -> Page:
    """The question, and the answer once it is asked."""
    given = {field: request.args.get(field, "").strip() for field in ("visitor", "place", "at")}
    found, error = None, None
    with reading(runtime().engine) as session:
        places = [
            (f"{key}/{point.key}", f"{key} \u00b7 {point.name}")
            for key in journeys.keys(session).values()
            if (standard := journeys.standard(session, key)) is not None
            for stage in standard.graph.stages
            for point in stage.touchpoints
        ]
        if all(given.values()):
            try:
                found = replay(session, _asked(given))
            except (InvalidError, NotFoundError) as refusal:
                error = refusal
    page = render_template(
        "visitors/replay.html", given=given, places=places, found=found, error=error
    )
    return (page, 422) if error else page


def _asked(given: dict[str, str]) -> ReplayIn:
    journey, _, touchpoint = given["place"].partition("/")
    asked = {"visitor": given["visitor"], "journey": journey, "touchpoint": touchpoint}
    return parse(ReplayIn, {**asked, "at": _moment(given["at"])})


def _moment(given: str) -> datetime | str:
    """A time as the form sends it, which is meant in UTC unless it says otherwise."""
    try:
        at = datetime.fromisoformat(given)
    except ValueError:
        return given
    return at if at.tzinfo else at.replace(tzinfo=UTC)
