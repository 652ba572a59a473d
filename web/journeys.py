"""The journeys: the list, the map, and new ones from a template or a document."""

from datetime import timedelta

from flask import Blueprint, flash, redirect, render_template, request, url_for

from experiments.accounts.schemas import Role
from experiments.database import reading, transaction
from experiments.design import queries as designs
from experiments.design.schemas import ExperimentOut
from experiments.errors import ConflictError, InvalidError, MalformedError, NotFoundError
from experiments.formats import percent, span
from experiments.instances.pace import paces
from experiments.instances.schemas import Pace
from experiments.journeys import documents, queries, service
from experiments.journeys.schemas import JourneyOut, TemplateIn, VersionOut
from experiments.learnings import queries as learnings
from experiments.reports.funnel import SIDE_STAGES, funnel
from experiments.reports.schemas import FunnelStage
from experiments.reports.today import OPEN
from experiments.shapes import parse
from web import access
from web.access import Page
from web.charts import Stop, path
from web.requests import runtime, text

blueprint = Blueprint("journeys", __name__, template_folder="templates")
LONG_ENOUGH = timedelta(days=28)
"""Entries this far back had time to go on."""
TEMPLATES = (
    ("customer", "Customer: from aware to loyal, nine stages"),
    ("signup", "Signup: from visit to subscription, four stages"),
)


@blueprint.get("/journeys")
@access.needs(Role.VIEWER)
def index() -> str:
    """Every journey with what runs on it."""
    with reading(runtime().engine) as session:
        journeys = queries.journeys(session)
        open_tests = designs.experiments(session, statuses=OPEN)
    running = {
        item.key: [test for test in open_tests if test.journey == item.key] for item in journeys
    }
    return render_template("journeys/index.html", journeys=journeys, running=running)


@blueprint.get("/journeys/<key>")
@access.needs(Role.VIEWER)
def show(key: str) -> str:
    """The map of the standard, or of the newest draft while there is no standard."""
    return _map(key)


@blueprint.get("/journeys/<key>/versions/<int:number>")
@access.needs(Role.VIEWER)
def version(key: str, number: int) -> str:
    """The map of one version."""
    return _map(key, number)


@blueprint.get("/journeys/new")
@access.needs(Role.EDITOR)
def new() -> str:
    """The forms for a new journey."""
    return _new_page()


@blueprint.post("/journeys/new")
@access.needs(Role.EDITOR)
def create() -> Page:
    """Make a journey from a template or from a pasted document."""
    try:
        made = _create()
    except (InvalidError, MalformedError, ConflictError, NotFoundError) as error:
        return _new_page(error), 422
    flash(f"{made.name} is drafted. Look at it, then publish it.", "good")
    return redirect(url_for("journeys.show", key=made.key))


def _create() -> JourneyOut:
    now, actor = runtime().clock.now(), access.actor()
    with transaction(runtime().engine) as session:
        if text("document"):
            return service.create(session, documents.read(text("document")), actor=actor, now=now)
        fields = {field: text(field) for field in ("key", "name", "owner", "template")}
        data = parse(TemplateIn, fields)
        return service.create_from_template(session, data, actor=actor, now=now)


def _new_page(error: Exception | None = None) -> str:
    return render_template(
        "journeys/new.html", templates=TEMPLATES, error=error, given=request.form
    )


def _map(key: str, number: int | None = None) -> str:
    now = runtime().clock.now()
    with reading(runtime().engine) as session:
        journey = queries.journey(session, key)
        versions = queries.versions(session, key)
        version = _chosen(versions, number or journey.standard)
        reached = funnel(session, version.graph.stages, until=now, received_by=now)
        open_tests = designs.experiments(session, statuses=OPEN, journey=key)
        contents = queries.contents(session, key)
        learned = learnings.by_touchpoint(session, key)
        pace = paces(session, key, since=now - LONG_ENOUGH, until=now)
    tests = _tests_by_touchpoint(open_tests)
    return render_template(
        "journeys/map.html",
        journey=journey,
        version=version,
        newest=versions[0],
        reached={stage.key: stage for stage in reached},
        pace=pace,
        pace_since=now - LONG_ENOUGH,
        tests=tests,
        learned=learned,
        contents={(item.key, item.number): item for item in contents},
        picture=path(_stops(version, reached, tests, pace)),
        until=now,
        side=SIDE_STAGES,
    )


def _chosen(versions: list[VersionOut], number: int | None) -> VersionOut:
    """The version of that number; the newest when none is named."""
    found = next((item for item in versions if number in {None, item.number}), None)
    if found is None:
        raise NotFoundError("version", number)
    return found


def _tests_by_touchpoint(tests: list[ExperimentOut]) -> dict[str, list[ExperimentOut]]:
    found: dict[str, list[ExperimentOut]] = {}
    for test in tests:
        found.setdefault(test.touchpoint, []).append(test)
    return found


def _stops(
    version: VersionOut,
    reached: list[FunnelStage],
    tests: dict[str, list[ExperimentOut]],
    pace: dict[str, Pace],
) -> tuple[Stop, ...]:
    return tuple(
        Stop(
            name=stage.name,
            visitors=count.visitors,
            tests=sum(len(tests.get(point.key, ())) for point in stage.touchpoints),
            onward=_onward(pace.get(stage.key)),
        )
        for stage, count in zip(version.graph.stages, reached, strict=True)
        if stage.kind not in SIDE_STAGES
    )


def _onward(pace: Pace | None) -> str:
    """What stands between a stage and the next."""
    if pace is None:
        return ""
    took = f"\n{span(pace.median.total_seconds())}" if pace.median else ""
    return f"{percent(pace.share)} \u2192{took}"
