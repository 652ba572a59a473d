"""The history of a journey: versions, what differs, publishing, reverting."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from experiments.accounts.schemas import Role
from experiments.database import reading, transaction
from experiments.decisions.blame import blame
from experiments.design import queries as designs
from experiments.errors import InvalidError
from experiments.formats import words
from experiments.journeys import queries, service
from experiments.journeys.schemas import InFlight, JourneyGraph, PublishIn
from experiments.probation import queries as probations
from experiments.reports.wording import reworded
from experiments.shapes import parse
from web import access
from web.requests import reason, runtime, text

blueprint = Blueprint("versions", __name__, template_folder="templates")


@blueprint.get("/journeys/<key>/versions")
@access.needs(Role.VIEWER)
def index(key: str) -> str:
    """Every version, the newest first, with where it came from."""
    with reading(runtime().engine) as session:
        journey = queries.journey(session, key)
        versions = queries.versions(session, key)
        held = {item.promotion_id: item for item in probations.probations(session)}
    return render_template(
        "journeys/versions.html", journey=journey, versions=versions, probations=held
    )


@blueprint.get("/journeys/<key>/blame")
@access.needs(Role.VIEWER)
def blamed(key: str) -> str:
    """Why each node of the standard is what it is."""
    with reading(runtime().engine) as session:
        journey = queries.journey(session, key)
        found = blame(session, key, node=request.args.get("node", ""))
        standard = queries.standard(session, key)
        names = designs.names(
            session, {item.promotion.experiment for item in found if item.promotion}
        )
    return render_template(
        "journeys/blame.html",
        journey=journey,
        found=found,
        places=_places(standard.graph) if standard else {},
        names=names,
    )


@blueprint.get("/journeys/<key>/diff")
@access.needs(Role.VIEWER)
def diff(key: str) -> str:
    """What differs between two versions."""
    before, after = _asked("before"), _asked("after")
    with reading(runtime().engine) as session:
        journey = queries.journey(session, key)
        changes = queries.diff(session, key, before, after)
        swaps = reworded(session, key, before, after)
    return render_template(
        "journeys/diff.html",
        journey=journey,
        before=before,
        after=after,
        changes=changes,
        swaps=swaps,
    )


@blueprint.post("/journeys/<key>/versions/<int:number>/publish")
@access.needs(Role.EDITOR)
def publish(key: str, number: int) -> Response:
    """Make a draft the standard."""
    now, actor = runtime().clock.now(), access.actor()
    data = parse(PublishIn, {"reason": reason(), "in_flight": text("in_flight") or InFlight.NOW})
    with transaction(runtime().engine) as session:
        service.publish(
            session,
            key,
            number,
            reason=data.reason,
            in_flight=data.in_flight,
            actor=actor,
            now=now,
        )
    flash(f"Version {number} is the standard now.", "good")
    return redirect(url_for("journeys.show", key=key))


@blueprint.post("/journeys/<key>/versions/<int:number>/revert")
@access.needs(Role.EDITOR)
def revert(key: str, number: int) -> Response:
    """Publish an earlier map again."""
    now, actor, why = runtime().clock.now(), access.actor(), reason()
    with transaction(runtime().engine) as session:
        made = service.revert(session, key, number, reason=why, actor=actor, now=now)
    flash(f"Version {made.number} is the standard now; it is version {number} again.", "good")
    return redirect(url_for("versions.index", key=key))


def _places(graph: JourneyGraph) -> dict[str, str]:
    """The nodes of a map as people call them."""
    found = {}
    for stage in graph.stages:
        found[f"stages/{stage.key}"] = stage.name
        for point in stage.touchpoints:
            found[f"touchpoints/{point.key}"] = f"{stage.name} · {point.name}"
            for slot in point.slots:
                node = f"touchpoints/{point.key}/slots/{slot.key}"
                found[node] = f"{stage.name} · {point.name} · {words(slot.key)}"
    return found


def _asked(side: str) -> int:
    given = request.args.get(side, "")
    if not (given.isascii() and given.isdigit()):
        raise InvalidError.at(f"/{side}", "name the number of a version")
    return int(given)
