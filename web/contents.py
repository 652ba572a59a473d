"""What the slots of a journey can show: every version, and approval of new ones."""

import json

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from experiments.accounts.schemas import Role
from experiments.database import reading, transaction
from experiments.errors import InvalidError
from experiments.journeys import queries, service
from experiments.journeys.schemas import ContentIn, ContentType, VersionOut
from experiments.learnings import queries as learnings
from experiments.shapes import parse
from web import access
from web.access import Page
from web.requests import runtime, text

blueprint = Blueprint("contents", __name__, template_folder="templates")


@blueprint.get("/journeys/<key>/contents")
@access.needs(Role.VIEWER)
def index(key: str) -> str:
    """Every version of every content."""
    return _page(key)


@blueprint.post("/journeys/<key>/contents")
@access.needs(Role.EDITOR)
def add(key: str) -> Page:
    """Add content or a new version of it; it waits for approval."""
    now, actor = runtime().clock.now(), access.actor()
    try:
        data = _content()
        with transaction(runtime().engine) as session:
            made = service.add_content(session, key, data, actor=actor, now=now)
    except InvalidError as error:
        return _page(key, error), 422
    flash(f"{made.key} version {made.number} is written and waits for approval.", "good")
    return redirect(url_for("contents.index", key=key))


@blueprint.post("/journeys/<key>/contents/<content>/<int:number>/approve")
@access.needs(Role.EDITOR)
def approve(key: str, content: str, number: int) -> Response:
    """Allow a version to be shown."""
    now, actor = runtime().clock.now(), access.actor()
    with transaction(runtime().engine) as session:
        service.approve_content(session, key, content, number, actor=actor, now=now)
    flash(f"{content} version {number} may be shown now.", "good")
    return redirect(url_for("contents.index", key=key))


def read_payload(kind: str, given: str, pointer: str) -> object:
    """What was typed into a form as content of that type.

    Raises:
        InvalidError: when it is not of the type.
    """
    if kind == ContentType.STRING:
        return given
    try:
        return json.loads(given)
    except json.JSONDecodeError as error:
        raise InvalidError.at(pointer, f"must be JSON of type {kind}") from error


def _content() -> ContentIn:
    return parse(
        ContentIn,
        {
            "key": text("key"),
            "type": text("type"),
            "payload": read_payload(text("type"), text("payload"), "/payload"),
            "tags": text("tags").replace(",", " ").split(),
        },
    )


def _page(key: str, error: InvalidError | None = None) -> str:
    with reading(runtime().engine) as session:
        journey = queries.journey(session, key)
        contents = queries.contents(session, key)
        learned = learnings.by_touchpoint(session, key)
        standard = queries.standard(session, key)
    return render_template(
        "journeys/contents.html",
        journey=journey,
        contents=contents,
        learned=learned,
        places=_places(standard),
        types=[(kind.value, kind.value) for kind in ContentType],
        error=error,
        given=request.form,
    )


def _places(standard: VersionOut | None) -> dict[str, list[str]]:
    """The touchpoints that show each content in the standard journey."""
    found: dict[str, list[str]] = {}
    for stage in standard.graph.stages if standard else ():
        for point in stage.touchpoints:
            for slot in point.slots:
                found.setdefault(slot.content, []).append(point.key)
    return found
