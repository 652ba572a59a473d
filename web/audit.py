"""Who changed what, when and why."""

from flask import Blueprint, render_template, request

from experiments.accounts.schemas import Role
from experiments.audit import queries
from experiments.database import reading
from experiments.design import queries as designs
from experiments.journeys import queries as journeys
from web import access
from web.requests import runtime

blueprint = Blueprint("audit", __name__, template_folder="templates")
ENTRIES_SHOWN = 50


@blueprint.get("/audit")
@access.needs(Role.VIEWER)
def index() -> str:
    """The newest changes, of one subject if named."""
    subject = request.args.get("subject", "")
    given = request.args.get("before", "")
    before = int(given) if given.isascii() and given.isdigit() else None
    with reading(runtime().engine) as session:
        found = queries.entries(
            session, subject_key=subject, before=before, limit=ENTRIES_SHOWN + 1
        )
        tests = designs.names(session, {entry.subject_key for entry in found})
        names = {"experiment": tests, "learning": tests, "journey": journeys.names(session)}
    return render_template(
        "audit/index.html",
        entries=found[:ENTRIES_SHOWN],
        older=found[ENTRIES_SHOWN - 1].id if len(found) > ENTRIES_SHOWN else None,
        subject=subject,
        names=names,
    )
