"""Journeys, their versions and their contents over the API."""

from flask import Blueprint
from pydantic import Field

from api import unchanged
from api.access import actor
from api.endpoint import endpoint
from api.paging import Page, Paging, Query, page_of
from api.requests import runtime
from experiments.accounts.schemas import Scope
from experiments.database import reading, transaction
from experiments.decisions.blame import BlameOut, blame
from experiments.journeys import previews, queries, service
from experiments.journeys.previews import PatchPreviewIn, PatchPreviewOut
from experiments.journeys.schemas import (
    Change,
    ContentIn,
    ContentOut,
    JourneyIn,
    JourneyOut,
    PublishIn,
    RevertIn,
    TemplateIn,
    VersionIn,
    VersionOut,
)

blueprint = Blueprint("journeys", __name__, url_prefix="/api/v1")


@blueprint.get("/journeys")
@endpoint(Scope.READ)
def journeys(asked: Paging) -> Page[JourneyOut]:
    """Every journey."""
    with reading(runtime().engine) as session:
        return page_of(queries.journeys(session), asked, lambda item: item.key)


@blueprint.post("/journeys")
@endpoint(Scope.MANAGE, status=201)
def create_journey(data: JourneyIn) -> JourneyOut:
    """Make a journey; its map is version 1, a draft."""
    opened = runtime()
    with transaction(opened.engine) as session:
        return service.create(session, data, actor=actor(), now=opened.clock.now())


@blueprint.post("/journeys-from-templates")
@endpoint(Scope.MANAGE, status=201)
def create_journey_from_template(data: TemplateIn) -> JourneyOut:
    """Make a journey from a template, with its metrics and contents."""
    opened = runtime()
    with transaction(opened.engine) as session:
        return service.create_from_template(session, data, actor=actor(), now=opened.clock.now())


@blueprint.get("/journeys/<key>")
@endpoint(Scope.READ)
def journey(key: str) -> JourneyOut:
    """One journey."""
    with reading(runtime().engine) as session:
        return queries.journey(session, key)


@blueprint.get("/journeys/<key>/versions")
@endpoint(Scope.READ)
def versions(key: str, asked: Paging) -> Page[VersionOut]:
    """Every version, the newest first."""
    with reading(runtime().engine) as session:
        return page_of(queries.versions(session, key), asked, lambda item: item.number)


@blueprint.post("/journeys/<key>/versions")
@endpoint(Scope.MANAGE, status=201)
def draft_version(key: str, data: VersionIn) -> VersionOut:
    """Store a map as a new draft."""
    opened = runtime()
    with transaction(opened.engine) as session:
        return service.draft_version(session, key, data, actor=actor(), now=opened.clock.now())


@blueprint.get("/journeys/<key>/versions/<int:number>")
@endpoint(Scope.READ, versioned=True)
def version(key: str, number: int) -> VersionOut:
    """One version."""
    with reading(runtime().engine) as session:
        return queries.version(session, key, number)


@blueprint.put("/journeys/<key>/versions/<int:number>")
@endpoint(Scope.MANAGE, versioned=True)
def redraft_version(key: str, number: int, data: VersionIn) -> VersionOut:
    """Write a draft again; what has been the standard never changes."""
    opened = runtime()
    now = opened.clock.now()
    with transaction(opened.engine) as session:
        unchanged.check(service.held_version(session, key, number))
        return service.redraft_version(session, key, number, data, actor=actor(), now=now)


@blueprint.get("/journeys/<key>/versions/<int:before>/changes/<int:after>")
@endpoint(Scope.READ)
def diff(key: str, before: int, after: int, asked: Paging) -> Page[Change]:
    """What differs from one version to another."""
    with reading(runtime().engine) as session:
        found = queries.diff(session, key, before, after)
    return page_of(found, asked, lambda item: f"{item.path} {item.kind}")


@blueprint.post("/journeys/<key>/patch-previews")
@endpoint(Scope.READ)
def preview_patch(key: str, data: PatchPreviewIn) -> PatchPreviewOut:
    """Try a patch: the map that results, what differs and where paths part; stores nothing."""
    with reading(runtime().engine) as session:
        return previews.preview(session, key, data)


@blueprint.post("/journeys/<key>/versions/<int:number>/publish")
@endpoint(Scope.MANAGE)
def publish_version(key: str, number: int, data: PublishIn) -> VersionOut:
    """Make a draft the standard."""
    opened = runtime()
    now = opened.clock.now()
    with transaction(opened.engine) as session:
        return service.publish(
            session,
            key,
            number,
            reason=data.reason,
            in_flight=data.in_flight,
            actor=actor(),
            now=now,
        )


@blueprint.post("/journeys/<key>/revert")
@endpoint(Scope.MANAGE, status=201)
def revert_journey(key: str, data: RevertIn) -> VersionOut:
    """Make an earlier map the standard again, as a new version."""
    opened = runtime()
    now = opened.clock.now()
    with transaction(opened.engine) as session:
        return service.revert(
            session, key, data.version, reason=data.reason, actor=actor(), now=now
        )


@blueprint.get("/journeys/<key>/contents")
@endpoint(Scope.READ)
def contents(key: str, asked: Paging) -> Page[ContentOut]:
    """Every version of every content."""
    with reading(runtime().engine) as session:
        found = queries.contents(session, key)
    return page_of(found, asked, lambda item: f"{item.key}/{item.number}")


@blueprint.post("/journeys/<key>/contents")
@endpoint(Scope.MANAGE, status=201)
def add_content(key: str, data: ContentIn) -> ContentOut:
    """Add content or a new version of it; it waits for approval."""
    opened = runtime()
    with transaction(opened.engine) as session:
        return service.add_content(session, key, data, actor=actor(), now=opened.clock.now())


@blueprint.post("/journeys/<key>/contents/<content>/<int:number>/approve")
@endpoint(Scope.MANAGE)
def approve_content(key: str, content: str, number: int) -> ContentOut:
    """Allow a version of a content to be shown."""
    opened = runtime()
    now = opened.clock.now()
    with transaction(opened.engine) as session:
        return service.approve_content(session, key, content, number, actor=actor(), now=now)


class BlameQuery(Query):
    """Which node."""

    node: str = Field(
        default="", description="Such as touchpoints/hero/slots/headline; all when empty."
    )


@blueprint.get("/journeys/<key>/blame")
@endpoint(Scope.READ)
def blamed(key: str, asked: BlameQuery) -> Page[BlameOut]:
    """Why each node of the standard is what it is: a person, a promotion or a revert."""
    with reading(runtime().engine) as session:
        return Page(data=blame(session, key, node=asked.node), next_cursor=None)
