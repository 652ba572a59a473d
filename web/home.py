"""Today: what waits for a person, what runs, what changed, whether it can be believed."""

from datetime import timedelta

from flask import Blueprint, render_template

from experiments.accounts.schemas import Role
from experiments.database import reading
from experiments.design import queries as designs
from experiments.journeys import queries as journeys
from experiments.notifications.queries import notifications
from experiments.notifications.schemas import Severity
from experiments.reports import queries as reports
from experiments.reports.today import today
from web import access
from web.requests import runtime

blueprint = Blueprint(
    "home", __name__, template_folder="templates", static_folder="static", static_url_path="/static"
)
NOTICES_READ, NOTICES_SHOWN = 50, 5
TESTS_SHOWN = 8
SOON = timedelta(days=7)
TELLING = (Severity.WARNING, Severity.CRITICAL)


@blueprint.get("/")
@access.needs(Role.VIEWER)
def page() -> str:
    """The first page."""
    now = runtime().clock.now()
    with reading(runtime().engine) as session:
        unread = notifications(session, unread=True, limit=NOTICES_READ)
        found = today(session, now=now)
        subjects = {item.subject_key for item in unread}
        proposed = {item.experiment for item in found.promotions}
        return render_template(
            "home/page.html",
            today=found,
            names=designs.names(session, subjects | proposed),
            tests_shown=TESTS_SHOWN,
            soon=now + SOON,
            report=next(iter(reports.reports(session, limit=1)), None),
            notifications=[item for item in unread if item.severity in TELLING][:NOTICES_SHOWN],
            is_new=not journeys.journeys(session),
            now=now,
        )
