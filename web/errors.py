"""Errors as a page with a sentence: one table from class to status and headline."""

from flask import Response, make_response, render_template
from werkzeug.exceptions import HTTPException

from experiments import errors
from experiments.logs import logger
from web import headers

log = logger("web")

PAGES: dict[type[errors.DesirelineError], tuple[int, str]] = {
    errors.MalformedError: (400, "That could not be read"),
    errors.NotAuthenticatedError: (401, "Please sign in"),
    errors.NotAllowedError: (403, "You may not do this"),
    errors.NotFoundError: (404, "Not found"),
    errors.ConflictError: (409, "This is not possible now"),
    errors.TooLargeError: (413, "That is too large"),
    errors.InvalidError: (422, "Something needs to be changed"),
    errors.TooOftenError: (429, "Not so often"),
    errors.NotStoredError: (500, "That could not be stored"),
    errors.DamagedError: (500, "A file of the analysis is damaged"),
    errors.UnavailableError: (503, "Try again in a moment"),
}


def respond(error: Exception) -> Response:
    """Any error as a page; what nobody foresaw is logged in full and told without a trace."""
    if isinstance(error, errors.DesirelineError):
        status, headline = next(PAGES[kind] for kind in type(error).__mro__ if kind in PAGES)
        return _page(status, headline, str(error))
    if isinstance(error, HTTPException):
        return _page(error.code or 500, error.name, error.description or error.name)
    log.error("unforeseen error", exc_info=error)
    return _page(500, "Something went wrong", "It is our mistake; the log has the details.")


def _page(status: int, headline: str, sentence: str) -> Response:
    page = render_template("errors/page.html", headline=headline, sentence=sentence)
    return headers.protect(make_response(page, status))
