"""What ended experiments taught: searched, said better, tested anew."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from experiments.accounts.schemas import Role
from experiments.audit import queries as audit
from experiments.database import reading, transaction
from experiments.errors import InvalidError
from experiments.journeys import queries as journeys
from experiments.learnings import queries, service
from experiments.learnings.schemas import LearningIn, Search, Strength
from experiments.shapes import parse
from web import access
from web.access import Page
from web.requests import runtime, text

blueprint = Blueprint("learnings", __name__, template_folder="templates")
SHOWN = 25


@blueprint.get("/learnings")
@access.needs(Role.VIEWER)
def index() -> str:
    """The learnings that fit, the newest first."""
    given = {name: request.args.get(name, "").strip() for name in Search.model_fields}
    last = request.args.get("before", "")
    before = int(last) if last.isascii() and last.isdigit() else None
    asked = parse(Search, {name: value for name, value in given.items() if value})
    now = runtime().clock.now()
    with reading(runtime().engine) as session:
        found = queries.search(session, asked, now=now, before=before, limit=SHOWN + 1)
        due = queries.count(session, Search(due=True), now=now)
        names = journeys.names(session)
    return render_template(
        "learnings/index.html",
        learnings=found[:SHOWN],
        following=found[SHOWN - 1].id if len(found) > SHOWN else None,
        given={name: value for name, value in given.items() if value},
        journeys=[("", "Every journey"), *names.items()],
        names=names,
        strengths=[("", "Any strength"), *((item.value, item.value) for item in Strength)],
        due=due,
        now=now,
    )


@blueprint.get("/learnings/<int:number>")
@access.needs(Role.VIEWER)
def show(number: int) -> str:
    """One learning with its evidence."""
    return _page(number)


@blueprint.post("/learnings/<int:number>")
@access.needs(Role.EDITOR)
def edit(number: int) -> Page:
    """Say it better; the evidence stays."""
    now, actor = runtime().clock.now(), access.actor()
    try:
        tags = text("tags").replace(",", " ").split()
        data = parse(
            LearningIn, {"statement": text("statement"), "persona": text("persona"), "tags": tags}
        )
        with transaction(runtime().engine) as session:
            service.edit(session, number, data, actor=actor, now=now)
    except InvalidError as error:
        return _page(number, error), 422
    flash("The learning is written again. Its evidence is what it was.", "good")
    return redirect(url_for("learnings.show", number=number))


@blueprint.post("/learnings/<int:number>/retest")
@access.needs(Role.EDITOR)
def retest(number: int) -> Response:
    """Draft its experiment anew."""
    now, actor = runtime().clock.now(), access.actor()
    with transaction(runtime().engine) as session:
        made = service.retest(session, number, rng=runtime().rng, actor=actor, now=now)
    flash("The same question is drafted for the visitors of today.", "good")
    return redirect(url_for("experiments.show", key=made.key))


def _page(number: int, error: InvalidError | None = None) -> str:
    now = runtime().clock.now()
    with reading(runtime().engine) as session:
        learning = queries.learning(session, number)
        changes = audit.entries(session, subject_key=str(number))
        names = journeys.names(session)
        standard = journeys.standard(session, learning.journey)
    written = {"statement": learning.statement, "persona": learning.persona}
    return render_template(
        "learnings/show.html",
        learning=learning,
        journey=names.get(learning.journey, learning.journey),
        stage=standard and standard.graph.stage(learning.stage),
        touchpoint=standard and standard.graph.touchpoint(learning.touchpoint),
        log=[entry for entry in changes if entry.subject_kind == "learning"],
        given=request.form or {**written, "tags": " ".join(learning.tags)},
        error=error,
        now=now,
    )
