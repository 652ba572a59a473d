"""Errors as problem+json (RFC 9457): one table from class to status."""

from collections.abc import Sequence

from flask import Response, request
from werkzeug.exceptions import HTTPException

from api import request_id
from experiments import errors
from experiments.logs import logger
from experiments.shapes import Out

log = logger("api")
PROBLEM_JSON = "application/problem+json"
KEPT_HEADERS = {"Allow", "Retry-After"}

STATUS: dict[type[errors.DesirelineError], int] = {
    errors.MalformedError: 400,
    errors.NotAuthenticatedError: 401,
    errors.NotAllowedError: 403,
    errors.NotFoundError: 404,
    errors.ConflictError: 409,
    errors.TooLargeError: 413,
    errors.InvalidError: 422,
    errors.TooOftenError: 429,
    errors.NotStoredError: 500,
    errors.DamagedError: 500,
    errors.NotDeliveredError: 502,
    errors.UnavailableError: 503,
}


class PlaceOut(Out):
    """One thing wrong with one field."""

    pointer: str
    detail: str


class ProblemOut(Out):
    """What went wrong (RFC 9457), with the id under which the log has the rest."""

    type: str = "about:blank"
    status: int
    title: str
    detail: str
    request_id: str
    errors: list[PlaceOut]


def status_of(error: errors.DesirelineError) -> int:
    """The HTTP status of an error of the domain."""
    return next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)


def problem(
    status: int, title: str, detail: str, places: Sequence[errors.Problem] = ()
) -> Response:
    """One problem+json answer."""
    told = ProblemOut(
        status=status,
        title=title,
        detail=detail,
        request_id=request_id.current(),
        errors=[PlaceOut(pointer=place.pointer, detail=place.detail) for place in places],
    )
    return Response(told.model_dump_json(), status, mimetype=PROBLEM_JSON)


def respond(error: Exception) -> Response:
    """Any error as a problem; what nobody foresaw is logged in full and told without a trace."""
    if isinstance(error, errors.DesirelineError):
        return _of_domain(error)
    if isinstance(error, HTTPException):
        return _of_http(error)
    log.error("unforeseen error", path=request.path, exc_info=error)
    detail = "Something went wrong on our side; the log has the details under the request id."
    return problem(500, "Internal Server Error", detail)


def is_api() -> bool:
    """Whether the request came to an address of the API."""
    return request.path.startswith(("/api/", "/v1/", "/ofrep/", "/sourceConfig"))


def _of_domain(error: errors.DesirelineError) -> Response:
    status = status_of(error)
    title = type(error).__name__.removesuffix("Error")
    places = error.problems if isinstance(error, errors.InvalidError) else ()
    response = problem(status, title, str(error), places)
    if isinstance(error, errors.NotAuthenticatedError):
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def _of_http(error: HTTPException) -> Response:
    response = problem(error.code or 500, error.name, error.description or error.name)
    response.headers.extend(
        {name: value for name, value in error.get_headers() if name in KEPT_HEADERS}
    )
    return response
