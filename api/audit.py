"""The audit trail over the API."""

from flask import Blueprint
from pydantic import Field

from api.endpoint import endpoint
from api.paging import Page, Paging, page_by_id
from api.requests import runtime
from experiments.accounts.schemas import Scope
from experiments.audit import queries
from experiments.audit.schemas import AuditOut
from experiments.database import reading

blueprint = Blueprint("audit", __name__, url_prefix="/api/v1")


class AuditQuery(Paging):
    """Which changes."""

    subject: str = Field(default="", description="Key of what was changed; all when empty.")


@blueprint.get("/audit")
@endpoint(Scope.READ)
def entries(asked: AuditQuery) -> Page[AuditOut]:
    """The newest changes first; `?subject=` names one subject."""
    with reading(runtime().engine) as session:
        found = queries.entries(
            session, subject_key=asked.subject, before=asked.after_id, limit=asked.limit + 1
        )
    return page_by_id(found, asked)
