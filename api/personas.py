"""Personas over the API."""

from datetime import timedelta

from flask import Blueprint
from pydantic import Field

from api import unchanged
from api.access import actor
from api.endpoint import endpoint
from api.paging import Page, Paging, Query, page_of
from api.requests import runtime
from experiments.accounts.schemas import Scope
from experiments.database import reading, transaction
from experiments.instances.members import MembersOut, members
from experiments.personas import queries, service
from experiments.personas.schemas import PersonaIn, PersonaOut, RetireIn
from experiments.shapes import Key

blueprint = Blueprint("personas", __name__, url_prefix="/api/v1/personas")


class MembersQuery(Query):
    """On which journey, and how far back."""

    journey: Key
    days: int = Field(default=28, ge=1, le=366)


@blueprint.get("")
@endpoint(Scope.READ)
def personas(asked: Paging) -> Page[PersonaOut]:
    """Every persona, retired ones too."""
    with reading(runtime().engine) as session:
        found = queries.personas(session, with_retired=True)
    return page_of(found, asked, lambda item: item.key)


@blueprint.post("")
@endpoint(Scope.MANAGE, status=201)
def create_persona(data: PersonaIn) -> PersonaOut:
    """Describe a persona."""
    opened = runtime()
    with transaction(opened.engine) as session:
        return service.create(session, data, actor=actor(), now=opened.clock.now())


@blueprint.get("/<key>")
@endpoint(Scope.READ, versioned=True)
def persona(key: str) -> PersonaOut:
    """One persona as it is now."""
    with reading(runtime().engine) as session:
        return queries.persona(session, key)


@blueprint.put("/<key>")
@endpoint(Scope.MANAGE, versioned=True)
def update_persona(key: str, data: PersonaIn) -> PersonaOut:
    """Write a new version of a persona."""
    opened = runtime()
    now = opened.clock.now()
    with transaction(opened.engine) as session:
        unchanged.check(service.held(session, key))
        return service.update(session, key, data, actor=actor(), now=now)


@blueprint.post("/<key>/retire")
@endpoint(Scope.MANAGE)
def retire_persona(key: str, data: RetireIn) -> PersonaOut:
    """Offer a persona no more."""
    opened = runtime()
    now = opened.clock.now()
    with transaction(opened.engine) as session:
        return service.retire(session, key, reason=data.reason, actor=actor(), now=now)


@blueprint.get("/<key>/versions")
@endpoint(Scope.READ)
def persona_versions(key: str, asked: Paging) -> Page[PersonaOut]:
    """Every version of a persona, the newest first."""
    with reading(runtime().engine) as session:
        return page_of(queries.versions(session, key), asked, lambda item: item.version)


@blueprint.get("/<key>/members")
@endpoint(Scope.READ)
def persona_members(key: str, asked: MembersQuery) -> MembersOut:
    """How many of those who walked a journey lately fit a persona, and how far they came."""
    opened = runtime()
    now = opened.clock.now()
    with reading(opened.engine) as session:
        rule = queries.persona(session, key).rule
        since = now - timedelta(days=asked.days)
        return members(session, asked.journey, rule, since=since, until=now)
