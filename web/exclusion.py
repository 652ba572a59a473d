"""Layers and holdouts: who takes part in which experiment, and who in none."""

from flask import Blueprint, flash, redirect, render_template, request, url_for

from experiments.accounts.schemas import Role
from experiments.database import reading, transaction
from experiments.decisions.shipped import shipped
from experiments.design import exclusion, queries, usage
from experiments.design.schemas import HoldoutIn, LayerIn
from experiments.errors import ConflictError, InvalidError, NotFoundError
from experiments.journeys import queries as journeys
from experiments.metrics import queries as metrics
from experiments.shapes import parse
from web import access
from web.access import Page
from web.requests import document, reason, runtime, share, text

blueprint = Blueprint("exclusion", __name__, template_folder="templates")


@blueprint.get("/layers")
@access.needs(Role.VIEWER)
def index() -> str:
    """Every layer with the experiments in its parts, and every holdout."""
    return _page()


@blueprint.post("/layers")
@access.needs(Role.EDITOR)
def add_layer() -> Page:
    """Make a layer."""
    opened, actor = runtime(), access.actor()
    now = opened.clock.now()
    try:
        data = parse(LayerIn, {"key": text("key"), "name": text("name")})
        with transaction(opened.engine) as session:
            made = exclusion.create_layer(session, data, rng=opened.rng, actor=actor, now=now)
    except (InvalidError, ConflictError) as error:
        return _page("layer", error), _status(error)
    flash(f"{made.name} is made. Experiments can take a part of it.", "good")
    return redirect(url_for("exclusion.index"))


@blueprint.post("/holdouts")
@access.needs(Role.EDITOR)
def add_holdout() -> Page:
    """Keep a share of visitors out of every experiment of a journey."""
    opened, actor = runtime(), access.actor()
    now = opened.clock.now()
    try:
        data = _holdout()
        with transaction(opened.engine) as session:
            made = exclusion.create_holdout(session, data, rng=opened.rng, actor=actor, now=now)
    except (InvalidError, ConflictError, NotFoundError) as error:
        return _page("holdout", error), _status(error)
    flash(f"{made.name} begins: its visitors take part in no experiment.", "good")
    return redirect(url_for("exclusion.index"))


@blueprint.post("/holdouts/<key>/end")
@access.needs(Role.EDITOR)
def end_holdout(key: str) -> Page:
    """Let its visitors take part again."""
    now, actor, why = runtime().clock.now(), access.actor(), reason()
    with transaction(runtime().engine) as session:
        ended = exclusion.end_holdout(session, key, reason=why, actor=actor, now=now)
    flash(f"{ended.name} has ended: its visitors take part again.", "good")
    return redirect(url_for("exclusion.index"))


def _holdout() -> HoldoutIn:
    fields = {field: text(field) for field in ("key", "name", "journey")}
    given: dict[str, object] = {"share": share("share"), "audience": document("audience")}
    given |= {"status_quo": share("status_quo") or 0.0, "metric": text("metric") or None}
    return parse(HoldoutIn, {**fields, **given})


def _status(error: Exception) -> int:
    return 409 if isinstance(error, ConflictError) else 422


def _page(form: str = "", error: Exception | None = None) -> str:
    now = runtime().clock.now()
    with reading(runtime().engine) as session:
        known = journeys.journeys(session)
        return render_template(
            "exclusion/index.html",
            layers=queries.layers(session),
            placed=usage.placed(session),
            holdouts=queries.holdouts(session),
            shipped=shipped(session, as_of=now),
            metrics=[(item.key, item.name) for item in metrics.metrics(session)],
            choices=[(item.key, item.name) for item in known],
            form=form,
            error=error,
            given=request.form,
        )
