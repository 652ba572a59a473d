"""Layers and holdouts over the API."""

from flask import Blueprint, Response

from api.access import actor, needs
from api.requests import answer, body, page, runtime
from experiments.accounts.schemas import Scope
from experiments.database import reading, transaction
from experiments.design import exclusion, queries
from experiments.design.schemas import HoldoutIn, LayerIn, ReasonIn

blueprint = Blueprint("exclusion", __name__, url_prefix="/api/v1")


@blueprint.get("/layers")
@needs(Scope.READ)
def layers() -> Response:
    """Every layer."""
    with reading(runtime().engine) as session:
        return page(queries.layers(session))


@blueprint.post("/layers")
@needs(Scope.MANAGE)
def create_layer() -> Response:
    """Make a layer, whose experiments exclude each other."""
    data, opened = body(LayerIn), runtime()
    now = opened.clock.now()
    with transaction(opened.engine) as session:
        made = exclusion.create_layer(session, data, rng=opened.rng, actor=actor(), now=now)
    return answer(made, 201)


@blueprint.get("/holdouts")
@needs(Scope.READ)
def holdouts() -> Response:
    """Every holdout, ended ones too."""
    with reading(runtime().engine) as session:
        return page(queries.holdouts(session))


@blueprint.post("/holdouts")
@needs(Scope.MANAGE)
def create_holdout() -> Response:
    """Keep a share of visitors out of every experiment of a journey."""
    data, opened = body(HoldoutIn), runtime()
    now = opened.clock.now()
    with transaction(opened.engine) as session:
        made = exclusion.create_holdout(session, data, rng=opened.rng, actor=actor(), now=now)
    return answer(made, 201)


@blueprint.post("/holdouts/<key>/end")
@needs(Scope.MANAGE)
def end_holdout(key: str) -> Response:
    """Let its visitors take part again."""
    data, opened = body(ReasonIn), runtime()
    now = opened.clock.now()
    with transaction(opened.engine) as session:
        ended = exclusion.end_holdout(session, key, reason=data.reason, actor=actor(), now=now)
    return answer(ended)
