"""The audit trail over the API."""

from flask import Blueprint, Response, request

from api.access import needs
from api.requests import cursor, page, page_size, runtime
from experiments.accounts.schemas import Scope
from experiments.audit import queries
from experiments.database import reading

blueprint = Blueprint("audit", __name__, url_prefix="/api/v1")


@blueprint.get("/audit")
@needs(Scope.READ)
def entries() -> Response:
    """The newest changes first; `?subject=` names one subject."""
    limit = page_size()
    subject = request.args.get("subject", "")
    with reading(runtime().engine) as session:
        found = queries.entries(session, subject_key=subject, before=cursor(), limit=limit)
    return page(found, found[-1].id if len(found) == limit else None)
