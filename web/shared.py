"""A report for people who do not sign in: whoever has the link reads this one report."""

from flask import Blueprint, Response, make_response, render_template

from experiments.database import reading
from experiments.mailings.document import pdf
from experiments.mailings.service import letter_for
from experiments.reports import sharing
from experiments.reports.letter import Letter
from experiments.reports.schemas import ReportOut
from web.reports import pictures
from web.requests import runtime

blueprint = Blueprint("shared", __name__, template_folder="templates")


@blueprint.get("/shared/<secret>")
def show(secret: str) -> Response:
    """The report behind a link, without ways to anything else."""
    _, letter = _found(secret)
    page = render_template(
        "shared/show.html", letter=letter, pictures=pictures(letter), secret=secret
    )
    return _private(make_response(page))


@blueprint.get("/shared/<secret>/document.pdf")
def document(secret: str) -> Response:
    """The same as a PDF."""
    report, letter = _found(secret)
    made = pdf(letter, written_at=report.created_at)
    return _private(Response(made, mimetype="application/pdf"))


def _found(secret: str) -> tuple[ReportOut, Letter]:
    opened = runtime()
    with reading(opened.engine) as session:
        report = sharing.shared(session, secret, now=opened.clock.now())
        return report, letter_for(session, report)


def _private(response: Response) -> Response:
    # The address is the key: no search engine may list it.
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    return response
