"""Personas: who they are in words, how many they are, how far they come, what is aimed at them."""

from collections.abc import Mapping
from datetime import timedelta

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from experiments.accounts.schemas import Role
from experiments.database import reading, transaction
from experiments.design import queries as designs
from experiments.errors import ConflictError, InvalidError
from experiments.instances.members import members, sizes
from experiments.journeys import queries as journeys
from experiments.personas import queries, service
from experiments.personas.aiming import is_aimed_at
from experiments.personas.schemas import PersonaIn
from experiments.shapes import key_of, parse
from web import access, condition_form
from web.access import Page
from web.requests import reason, runtime, text, whole_number

blueprint = Blueprint("personas", __name__, template_folder="templates")
LOOK_BACK = timedelta(days=28)


@blueprint.get("/personas")
@access.needs(Role.VIEWER)
def index() -> str:
    """Every persona in use, and how many visitors fit it."""
    with reading(runtime().engine) as session:
        found = queries.personas(session)
        fitting = sizes(session, {item.key: item.rule for item in found})
        tests = designs.experiments(session)
    aimed = {
        item.key: sum(is_aimed_at(test.audience, item.rule) for test in tests) for item in found
    }
    return render_template("personas/index.html", personas=found, sizes=fitting, aimed=aimed)


@blueprint.get("/personas/new")
@access.needs(Role.EDITOR)
def new() -> str:
    """The form of a new persona."""
    return _form({})


@blueprint.post("/personas/new")
@access.needs(Role.EDITOR)
def create() -> Page:
    """Describe a persona."""
    now, actor = runtime().clock.now(), access.actor()
    try:
        data = _read(text("key") or key_of(text("name")))
        with transaction(runtime().engine) as session:
            made = service.create(session, data, actor=actor, now=now)
    except (InvalidError, ConflictError) as error:
        return _form(request.form, error), 422
    flash(f"{made.name} is described. Tests can be aimed at it.", "good")
    return redirect(url_for("personas.show", key=made.key))


@blueprint.get("/personas/<key>")
@access.needs(Role.VIEWER)
def show(key: str) -> str:
    """One persona: the rule in words, conversion by stage, what is aimed at it, its versions."""
    now = runtime().clock.now()
    with reading(runtime().engine) as session:
        persona = queries.persona(session, key)
        versions = queries.versions(session, key)
        fitting = sizes(session, {key: persona.rule})[key]
        standards = [
            (item, journeys.standard(session, item.key)) for item in journeys.journeys(session)
        ]
        walked = {
            item.key: members(session, item.key, persona.rule, since=now - LOOK_BACK, until=now)
            for item, standard in standards
            if standard
        }
        tests = designs.experiments(session)
    rules = [item.rule for item in versions]
    return render_template(
        "personas/show.html",
        persona=persona,
        versions=versions,
        size=fitting,
        standards=[(item, standard) for item, standard in standards if standard],
        walked=walked,
        tests=[test for test in tests if any(is_aimed_at(test.audience, rule) for rule in rules)],
    )


@blueprint.get("/personas/<key>/edit")
@access.needs(Role.EDITOR)
def edit(key: str) -> str:
    """The form of a persona as it is now."""
    with reading(runtime().engine) as session:
        persona = queries.persona(session, key)
    return _form(persona.model_dump(), editing=key)


@blueprint.post("/personas/<key>/edit")
@access.needs(Role.EDITOR)
def update(key: str) -> Page:
    """Write a new version."""
    now, actor = runtime().clock.now(), access.actor()
    try:
        data = _read(key)
        with transaction(runtime().engine) as session:
            made = service.update(session, key, data, actor=actor, now=now)
    except (InvalidError, ConflictError) as error:
        return _form(request.form, error, editing=key), 422
    flash(f"Version {made.version} is written. What was aimed earlier keeps its rule.", "good")
    return redirect(url_for("personas.show", key=key))


@blueprint.post("/personas/<key>/retire")
@access.needs(Role.EDITOR)
def retire(key: str) -> Response:
    """Offer a persona no more."""
    now, actor, why = runtime().clock.now(), access.actor(), reason()
    with transaction(runtime().engine) as session:
        service.retire(session, key, reason=why, actor=actor, now=now)
    flash("The persona is retired. What was aimed at it goes on.", "good")
    return redirect(url_for("personas.index"))


def _read(key: str) -> PersonaIn:
    fields = {field: text(field) for field in ("name", "goals", "needs")}
    priority = whole_number("priority") or 0
    rule = condition_form.read()
    return parse(PersonaIn, {**fields, "key": key, "rule": rule, "priority": priority})


def _form(given: Mapping[str, object], error: Exception | None = None, *, editing: str = "") -> str:
    rule = given.get("rule")
    shown = condition_form.shown(rule if isinstance(rule, dict) else {})
    return render_template(
        "personas/form.html",
        given=given,
        error=error,
        editing=editing,
        condition=condition_form.given() if error else shown,
        comparisons=condition_form.COMPARISONS,
        modes=condition_form.MODES,
    )
