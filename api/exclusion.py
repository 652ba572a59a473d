"""Layers and holdouts over the API."""

from flask import Blueprint

from api.access import actor
from api.endpoint import endpoint
from api.paging import Page, Paging, page_of
from api.requests import runtime
from experiments.accounts.schemas import Scope
from experiments.database import reading, transaction
from experiments.decisions.shipped import Shipped, shipped
from experiments.design import exclusion, queries
from experiments.design.schemas import HoldoutIn, HoldoutOut, LayerIn, LayerOut, ReasonIn

blueprint = Blueprint("exclusion", __name__, url_prefix="/api/v1")


@blueprint.get("/layers")
@endpoint(Scope.READ)
def layers(asked: Paging) -> Page[LayerOut]:
    """Every layer."""
    with reading(runtime().engine) as session:
        return page_of(queries.layers(session), asked, lambda item: item.key)


@blueprint.post("/layers")
@endpoint(Scope.MANAGE, status=201)
def create_layer(data: LayerIn) -> LayerOut:
    """Make a layer, whose experiments exclude each other."""
    opened = runtime()
    now = opened.clock.now()
    with transaction(opened.engine) as session:
        return exclusion.create_layer(session, data, rng=opened.rng, actor=actor(), now=now)


@blueprint.get("/holdouts")
@endpoint(Scope.READ)
def holdouts(asked: Paging) -> Page[HoldoutOut]:
    """Every holdout, ended ones too."""
    with reading(runtime().engine) as session:
        return page_of(queries.holdouts(session), asked, lambda item: item.key)


@blueprint.get("/holdouts/comparisons")
@endpoint(Scope.READ)
def compared(asked: Paging) -> Page[Shipped]:
    """What everything shipped brought: the parts of each split holdout beside the sum of wins."""
    opened = runtime()
    with reading(opened.engine) as session:
        found = shipped(session, as_of=opened.clock.now())
    return page_of(found, asked, lambda item: item.holdout)


@blueprint.post("/holdouts")
@endpoint(Scope.MANAGE, status=201)
def create_holdout(data: HoldoutIn) -> HoldoutOut:
    """Keep a share of visitors out of every experiment of a journey."""
    opened = runtime()
    now = opened.clock.now()
    with transaction(opened.engine) as session:
        return exclusion.create_holdout(session, data, rng=opened.rng, actor=actor(), now=now)


@blueprint.post("/holdouts/<key>/end")
@endpoint(Scope.MANAGE)
def end_holdout(key: str, data: ReasonIn) -> HoldoutOut:
    """Let its visitors take part again."""
    opened = runtime()
    now = opened.clock.now()
    with transaction(opened.engine) as session:
        return exclusion.end_holdout(session, key, reason=data.reason, actor=actor(), now=now)
