"""Today: what waits for a person, what runs, what changed."""

from flask import Blueprint, render_template

from experiments.accounts.schemas import Role
from experiments.audit import queries as audit
from experiments.audit.schemas import AuditOut
from experiments.database import reading
from experiments.notifications.queries import notifications
from experiments.reports import queries as reports
from experiments.reports.today import today
from web import access
from web.requests import runtime

blueprint = Blueprint(
    "home", __name__, template_folder="templates", static_folder="static", static_url_path="/static"
)
CHANGES_READ, CHANGES_SHOWN = 100, 6
NOTICES_SHOWN = 10
ROUTINE = ("experiment.judged", "notification.read", "report.written")


@blueprint.get("/")
@access.needs(Role.VIEWER)
def page() -> str:
    """The first page."""
    now = runtime().clock.now()
    with reading(runtime().engine) as session:
        return render_template(
            "home/page.html",
            today=today(session, now=now),
            report=next(iter(reports.reports(session, limit=1)), None),
            notifications=notifications(session, unread=True, limit=NOTICES_SHOWN),
            changes=_news(audit.entries(session, limit=CHANGES_READ)),
            now=now,
        )


def _news(entries: list[AuditOut]) -> list[AuditOut]:
    """The newest changes that are news: every look and every report would bury them."""
    return [entry for entry in entries if entry.action not in ROUTINE][:CHANGES_SHOWN]
