"""API tokens over the API."""

from flask import Blueprint, Response

from api.access import actor, needs
from api.requests import answer, body, page, runtime
from experiments.accounts import queries, service
from experiments.accounts.schemas import Scope, TokenIn
from experiments.database import reading, transaction

blueprint = Blueprint("accounts", __name__, url_prefix="/api/v1")


@blueprint.get("/tokens")
@needs(Scope.MANAGE)
def tokens() -> Response:
    """Every token, without its secret."""
    with reading(runtime().engine) as session:
        return page(queries.tokens(session))


@blueprint.post("/tokens")
@needs(Scope.MANAGE)
def create_token() -> Response:
    """Make a token; the secret is in this answer only."""
    opened = runtime()
    data = body(TokenIn)
    with transaction(opened.engine) as session:
        made = service.create_token(session, data, actor=actor(), now=opened.clock.now())
    return answer(made, 201)


@blueprint.delete("/tokens/<int:token_id>")
@needs(Scope.MANAGE)
def revoke_token(token_id: int) -> Response:
    """End a token."""
    opened = runtime()
    with transaction(opened.engine) as session:
        service.revoke_token(session, token_id, actor=actor(), now=opened.clock.now())
    return Response(status=204)
