"""Journeys, their versions and their contents over the API."""

from flask import Blueprint, Response

from api.access import actor, needs
from api.requests import answer, body, page, runtime
from experiments.accounts.schemas import Scope
from experiments.database import reading, transaction
from experiments.journeys import queries, service
from experiments.journeys.schemas import (
    ContentIn,
    JourneyIn,
    PublishIn,
    RevertIn,
    TemplateIn,
    VersionIn,
)

blueprint = Blueprint("journeys", __name__, url_prefix="/api/v1")


@blueprint.get("/journeys")
@needs(Scope.READ)
def journeys() -> Response:
    """Every journey."""
    with reading(runtime().engine) as session:
        return page(queries.journeys(session))


@blueprint.post("/journeys")
@needs(Scope.MANAGE)
def create_journey() -> Response:
    """Make a journey; its map is version 1, a draft."""
    data, opened = body(JourneyIn), runtime()
    with transaction(opened.engine) as session:
        made = service.create(session, data, actor=actor(), now=opened.clock.now())
    return answer(made, 201)


@blueprint.post("/journeys-from-templates")
@needs(Scope.MANAGE)
def create_journey_from_template() -> Response:
    """Make a journey from a template, with its metrics and contents."""
    data, opened = body(TemplateIn), runtime()
    with transaction(opened.engine) as session:
        made = service.create_from_template(session, data, actor=actor(), now=opened.clock.now())
    return answer(made, 201)


@blueprint.get("/journeys/<key>")
@needs(Scope.READ)
def journey(key: str) -> Response:
    """One journey."""
    with reading(runtime().engine) as session:
        return answer(queries.journey(session, key))


@blueprint.get("/journeys/<key>/versions")
@needs(Scope.READ)
def versions(key: str) -> Response:
    """Every version, the newest first."""
    with reading(runtime().engine) as session:
        return page(queries.versions(session, key))


@blueprint.post("/journeys/<key>/versions")
@needs(Scope.MANAGE)
def draft_version(key: str) -> Response:
    """Store a map as a new draft."""
    data, opened = body(VersionIn), runtime()
    with transaction(opened.engine) as session:
        made = service.draft_version(session, key, data, actor=actor(), now=opened.clock.now())
    return answer(made, 201)


@blueprint.get("/journeys/<key>/versions/<int:number>")
@needs(Scope.READ)
def version(key: str, number: int) -> Response:
    """One version."""
    with reading(runtime().engine) as session:
        return answer(queries.version(session, key, number))


@blueprint.get("/journeys/<key>/versions/<int:before>/changes/<int:after>")
@needs(Scope.READ)
def diff(key: str, before: int, after: int) -> Response:
    """What differs from one version to another."""
    with reading(runtime().engine) as session:
        return page(queries.diff(session, key, before, after))


@blueprint.post("/journeys/<key>/versions/<int:number>/publish")
@needs(Scope.MANAGE)
def publish_version(key: str, number: int) -> Response:
    """Make a draft the standard."""
    data, opened = body(PublishIn), runtime()
    now = opened.clock.now()
    with transaction(opened.engine) as session:
        made = service.publish(session, key, number, reason=data.reason, actor=actor(), now=now)
    return answer(made)


@blueprint.post("/journeys/<key>/revert")
@needs(Scope.MANAGE)
def revert_journey(key: str) -> Response:
    """Make an earlier map the standard again, as a new version."""
    data, opened = body(RevertIn), runtime()
    now = opened.clock.now()
    with transaction(opened.engine) as session:
        made = service.revert(
            session, key, data.version, reason=data.reason, actor=actor(), now=now
        )
    return answer(made, 201)


@blueprint.get("/journeys/<key>/contents")
@needs(Scope.READ)
def contents(key: str) -> Response:
    """Every version of every content."""
    with reading(runtime().engine) as session:
        return page(queries.contents(session, key))


@blueprint.post("/journeys/<key>/contents")
@needs(Scope.MANAGE)
def add_content(key: str) -> Response:
    """Add content or a new version of it; it waits for approval."""
    data, opened = body(ContentIn), runtime()
    with transaction(opened.engine) as session:
        made = service.add_content(session, key, data, actor=actor(), now=opened.clock.now())
    return answer(made, 201)


@blueprint.post("/journeys/<key>/contents/<content>/<int:number>/approve")
@needs(Scope.MANAGE)
def approve_content(key: str, content: str, number: int) -> Response:
    """Allow a version of a content to be shown."""
    opened = runtime()
    now = opened.clock.now()
    with transaction(opened.engine) as session:
        found = service.approve_content(session, key, content, number, actor=actor(), now=now)
    return answer(found)
