"""The API's own description, for machines; the page for people is `/api/docs`."""

from flask import Blueprint, Response, current_app

from api.requests import answer

blueprint = Blueprint("documentation", __name__)


@blueprint.get("/api/openapi.json")
def openapi() -> Response:
    """The OpenAPI 3.1 document of `/api/v1`; needs no token."""
    return answer(current_app.extensions["api_document"]())
