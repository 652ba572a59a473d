"""Planning a test step by step: every step is stored in the draft, so that one may come back."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from experiments.accounts.schemas import Role
from experiments.analysis.expectation import with_figures
from experiments.database import reading, transaction
from experiments.design import drafting, queries, service
from experiments.design.lifecycle import check_editable
from experiments.design.schemas import ExperimentIn, ExperimentOut
from experiments.errors import ConflictError, InvalidError, NotFoundError
from experiments.journeys import queries as journeys
from experiments.metrics import queries as metrics
from experiments.personas import queries as personas
from experiments.shapes import key_of, parse
from web import access, draft_steps
from web.access import Page
from web.draft_page import step_page
from web.draft_steps import BY_KEY, STEPS, Map, Step
from web.requests import runtime, text

blueprint = Blueprint("drafts", __name__, template_folder="templates")
FIRST = STEPS[0]


@blueprint.get("/experiments/new")
@access.needs(Role.EDITOR)
def new() -> str:
    """The first step; on which journey is asked first when there are several."""
    return _new_page(request.args.get("journey", ""))


@blueprint.post("/experiments/new")
@access.needs(Role.EDITOR)
def create() -> Page:
    """Draft a test that has all it needs to be stored; the next steps make it what is meant."""
    opened, actor = runtime(), access.actor()
    now = opened.clock.now()
    try:
        on = _map(text("journey"))
        data = _begun(text("journey"), on)
        with transaction(opened.engine) as session:
            data = with_figures(session, data, graph=on.graph, now=now)
            made = service.create(session, data, rng=opened.rng, actor=actor, now=now)
    except (InvalidError, ConflictError) as error:
        return _new_page(text("journey"), error), 422
    flash("The draft is stored. You can leave at any step and come back.", "good")
    return redirect(_address(made.key, draft_steps.after(FIRST)))


@blueprint.get("/experiments/<key>/edit")
@access.needs(Role.EDITOR)
def edit(key: str) -> Response:
    """The first step of a draft."""
    return redirect(_address(key, FIRST))


@blueprint.get("/experiments/<key>/edit/<step>")
@access.needs(Role.EDITOR)
def show(key: str, step: str) -> Page:
    """One step of a draft; what has started is shown as it is."""
    draft = _draft(key)
    try:
        check_editable(key, draft.status)
    except ConflictError as error:
        flash(str(error), "warn")
        return redirect(url_for("experiments.show", key=key))
    return step_page(draft, _step(step), _map(draft.journey))


@blueprint.post("/experiments/<key>/edit/<step>")
@access.needs(Role.EDITOR)
def store(key: str, step: str) -> Page:
    """Store a step and go on, or stay to see what it makes of the plan."""
    now, actor, here = runtime().clock.now(), access.actor(), _step(step)
    draft = _draft(key)
    try:
        on = _map(draft.journey)
        data = parse(ExperimentIn, {**drafting.fields(draft), **here.read(draft, on)})
        with transaction(runtime().engine) as session:
            data = with_figures(session, data, graph=on.graph, now=now)
            service.edit(session, key, data, actor=actor, now=now)
            if text("then") == "schedule":
                service.schedule(session, key, actor=actor, now=now)
    except InvalidError as error:
        return step_page(draft, here, _map(draft.journey), error), 422
    if text("then") == "schedule":
        flash("It starts by itself when its time has come.", "good")
        return redirect(url_for("experiments.show", key=key))
    return redirect(_address(key, here if text("then") == "stay" else draft_steps.after(here)))


def _begun(journey: str, on: Map) -> ExperimentIn:
    place = draft_steps.begun(text("place"), on)
    key = text("key") or key_of(text("name"))
    more = {"key": key, "journey": journey, "primary_metric": on.metric_of(place)}
    return parse(ExperimentIn, {**draft_steps.described(), **place, **more})


def _draft(key: str) -> ExperimentOut:
    with reading(runtime().engine) as session:
        return queries.experiment(session, key)


def _map(journey: str) -> Map:
    """The standard journey and what it may show.

    Raises:
        InvalidError: when nothing has been published.
    """
    with reading(runtime().engine) as session:
        standard = journeys.standard(session, journey) if journey else None
        if standard is None:
            raise InvalidError.at("/journey", "has no standard version; publish one first")
        contents = journeys.contents(session, journey)
        catalogue = metrics.metrics(session)
        described = personas.personas(session)
    return Map(
        graph=standard.graph,
        contents={(item.key, item.number): item for item in contents},
        rules={item.key: item.rule for item in catalogue},
        personas={item.key: item for item in described},
    )


def _step(name: str) -> Step:
    if name not in BY_KEY:
        raise NotFoundError("step of a draft", name)
    return BY_KEY[name]


def _address(key: str, step: Step) -> str:
    return url_for("drafts.show", key=key, step=step.key)


def _new_page(key: str, error: Exception | None = None) -> str:
    with reading(runtime().engine) as session:
        published = [item for item in journeys.journeys(session) if item.standard is not None]
        chosen = key or (published[0].key if len(published) == 1 else "")
        standard = journeys.standard(session, chosen) if chosen else None
    return render_template(
        "drafts/new.html",
        steps=STEPS,
        step=FIRST,
        choices=[(item.key, item.name) for item in published],
        standard=standard,
        given=request.form,
        error=error,
    )
