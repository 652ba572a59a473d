"""API tokens over the API."""

from flask import Blueprint

from api.access import actor
from api.endpoint import endpoint
from api.paging import Page, Paging, page_of
from api.requests import runtime
from experiments.accounts import queries, service
from experiments.accounts.schemas import NewTokenOut, Scope, TokenIn, TokenOut
from experiments.database import reading, transaction

blueprint = Blueprint("accounts", __name__, url_prefix="/api/v1")


@blueprint.get("/tokens")
@endpoint(Scope.MANAGE)
def tokens(asked: Paging) -> Page[TokenOut]:
    """Every token, without its secret."""
    with reading(runtime().engine) as session:
        return page_of(queries.tokens(session), asked, lambda item: item.id)


@blueprint.post("/tokens")
@endpoint(Scope.MANAGE, status=201, secret=True)
def create_token(data: TokenIn) -> NewTokenOut:
    """Make a token; the secret is in this answer only."""
    opened = runtime()
    with transaction(opened.engine) as session:
        return service.create_token(session, data, actor=actor(), now=opened.clock.now())


@blueprint.delete("/tokens/<int:token_id>")
@endpoint(Scope.MANAGE, status=204)
def revoke_token(token_id: int) -> None:
    """End a token."""
    opened = runtime()
    with transaction(opened.engine) as session:
        service.revoke_token(session, token_id, actor=actor(), now=opened.clock.now())
