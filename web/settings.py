"""People and tokens."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from experiments.accounts import queries, service
from experiments.accounts.schemas import NewTokenOut, Role, Scope, TokenIn, UserIn
from experiments.database import reading, transaction
from experiments.errors import ConflictError, InvalidError, NotAuthenticatedError
from experiments.shapes import parse
from web import access
from web.access import Page
from web.requests import runtime, text

blueprint = Blueprint("settings", __name__, template_folder="templates")
ROLES = (
    (Role.VIEWER, "Viewer: reads everything"),
    (Role.EDITOR, "Editor: also changes journeys and experiments"),
    (Role.ADMIN, "Admin: also manages people and tokens"),
)
SCOPES = (
    (Scope.EVALUATE, "Ask what to show"),
    (Scope.INGEST, "Send events"),
    (Scope.READ, "Read results and reports"),
    (Scope.MANAGE, "Change journeys and experiments"),
)


@blueprint.get("/settings")
@access.needs(Role.VIEWER)
def index() -> str:
    """Everybody's own password; people and tokens for administrators."""
    return _page()


@blueprint.post("/settings/password")
@access.needs(Role.VIEWER)
def change_password() -> Page:
    """Give oneself another password, after the present one."""
    now, actor, person_id = runtime().clock.now(), access.actor(), access.person().id
    password = request.form.get("password", "")
    try:
        with transaction(runtime().engine) as session:
            service.authenticate(session, actor.name, request.form.get("current", ""))
            service.change_password(session, person_id, password, actor=actor, now=now)
    except (InvalidError, NotAuthenticatedError) as error:
        return _page(error), 422
    flash("Your password is changed.", "good")
    return redirect(url_for("settings.index"))


@blueprint.post("/settings/people")
@access.needs(Role.ADMIN)
def add_person() -> Page:
    """Add a person."""
    now, actor = runtime().clock.now(), access.actor()
    fields = {field: text(field) for field in ("email", "name", "role")}
    try:
        data = parse(UserIn, {**fields, "password": request.form.get("password", "")})
        with transaction(runtime().engine) as session:
            made = service.create_user(session, data, actor=actor, now=now)
    except (InvalidError, ConflictError) as error:
        return _page(error), 422
    flash(f"{made.name} can sign in now.", "good")
    return redirect(url_for("settings.index"))


@blueprint.post("/settings/people/<int:user_id>/role")
@access.needs(Role.ADMIN)
def set_role(user_id: int) -> Response:
    """Change what a person may do."""
    now, actor = runtime().clock.now(), access.actor()
    given = text("role")
    if given not in list(Role):
        raise InvalidError.at("/role", "must be viewer, editor or admin")
    with transaction(runtime().engine) as session:
        changed = service.set_role(session, user_id, Role(given), actor=actor, now=now)
    flash(f"{changed.name} is {changed.role} now.", "good")
    return redirect(url_for("settings.index"))


@blueprint.post("/settings/people/<int:user_id>/disable")
@access.needs(Role.ADMIN)
def disable(user_id: int) -> Response:
    """Shut a person out."""
    now, actor = runtime().clock.now(), access.actor()
    with transaction(runtime().engine) as session:
        changed = service.disable_user(session, user_id, actor=actor, now=now)
    flash(f"{changed.name} can no longer sign in.", "good")
    return redirect(url_for("settings.index"))


@blueprint.post("/settings/tokens")
@access.needs(Role.ADMIN)
def add_token() -> Page:
    """Make a token and show its secret, once."""
    now, actor = runtime().clock.now(), access.actor()
    fields = {
        "name": text("name"),
        "scopes": request.form.getlist("scopes"),
        "origins": text("origins").split(),
    }
    try:
        data = parse(TokenIn, fields)
        with transaction(runtime().engine) as session:
            made = service.create_token(session, data, actor=actor, now=now)
    except InvalidError as error:
        return _page(error), 422
    return _page(made=made)


@blueprint.post("/settings/tokens/<int:token_id>/revoke")
@access.needs(Role.ADMIN)
def revoke(token_id: int) -> Response:
    """End a token."""
    now, actor = runtime().clock.now(), access.actor()
    with transaction(runtime().engine) as session:
        service.revoke_token(session, token_id, actor=actor, now=now)
    flash("The token is revoked.", "good")
    return redirect(url_for("settings.index"))


def _page(error: Exception | None = None, made: NewTokenOut | None = None) -> str:
    with reading(runtime().engine) as session:
        people = queries.users(session)
        tokens = queries.tokens(session)
    return render_template(
        "settings/index.html",
        people=people,
        tokens=tokens,
        roles=ROLES,
        scopes=SCOPES,
        error=error,
        made=made,
        given=request.form,
        base_url=runtime().settings.base_url,
    )
