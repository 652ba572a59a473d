"""The history of a journey: versions, what differs, publishing, reverting, drafting."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from experiments.accounts.schemas import Role
from experiments.database import reading, transaction
from experiments.decisions.blame import blame
from experiments.errors import InvalidError
from experiments.journeys import queries, service
from experiments.journeys.schemas import InFlight, PublishIn, VersionIn, VersionOut
from experiments.probation import queries as probations
from experiments.shapes import parse
from web import access
from web.access import Page
from web.requests import document, reason, runtime, text

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
    return render_template("journeys/blame.html", journey=journey, found=found)


@blueprint.get("/journeys/<key>/diff")
@access.needs(Role.VIEWER)
def diff(key: str) -> str:
    """What differs between two versions."""
    before, after = _asked("before"), _asked("after")
    with reading(runtime().engine) as session:
        journey = queries.journey(session, key)
        changes = queries.diff(session, key, before, after)
    return render_template(
        "journeys/diff.html", journey=journey, before=before, after=after, changes=changes
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


@blueprint.get("/journeys/<key>/edit")
@access.needs(Role.EDITOR)
def edit(key: str) -> str:
    """The newest map as a document to change."""
    return _edit_page(key)


@blueprint.post("/journeys/<key>/edit")
@access.needs(Role.EDITOR)
def draft(key: str) -> Page:
    """Store the changed document as a new draft."""
    try:
        made = _draft(key)
    except InvalidError as error:
        return _edit_page(key, error), 422
    flash(f"Version {made.number} is drafted. Nobody sees it before it is published.", "good")
    return redirect(url_for("journeys.version", key=key, number=made.number))


def _draft(key: str) -> VersionOut:
    data = parse(VersionIn, {"graph": document("document"), "note": text("note")})
    now, actor = runtime().clock.now(), access.actor()
    with transaction(runtime().engine) as session:
        return service.draft_version(session, key, data, actor=actor, now=now)


def _edit_page(key: str, error: Exception | None = None) -> str:
    with reading(runtime().engine) as session:
        journey = queries.journey(session, key)
        newest = queries.versions(session, key)[0]
    return render_template(
        "journeys/edit.html", journey=journey, newest=newest, error=error, given=request.form
    )


def _asked(side: str) -> int:
    given = request.args.get(side, "")
    if not (given.isascii() and given.isdigit()):
        raise InvalidError.at(f"/{side}", "name the number of a version")
    return int(given)
