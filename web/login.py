"""Signing in and out."""

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from experiments.accounts import service
from experiments.accounts.schemas import UserOut
from experiments.database import transaction
from experiments.errors import NotAuthenticatedError
from web import access, throttle
from web.access import Page
from web.requests import runtime, text

blueprint = Blueprint("login", __name__, template_folder="templates")
TOO_MANY = "Too many attempts. Wait five minutes, then try again."


@blueprint.get("/login")
def form() -> str | Response:
    """The form, or the dashboard for whoever is signed in already."""
    if access.user() is not None:
        return redirect(url_for("home.page"))
    return _page()


@blueprint.post("/login")
def sign_in() -> Page:
    """Check the password and begin a session."""
    key = f"{request.remote_addr} {text('email').lower()}"
    if not throttle.is_open(key):
        return _page(TOO_MANY), 429
    try:
        person = _authenticate()
    except NotAuthenticatedError as error:
        throttle.failed(key)
        return _page(str(error)), 401
    access.sign_in(person)
    following = request.form.get("next", "")
    return redirect(following if access.is_local(following) else url_for("home.page"))


@blueprint.post("/logout")
def sign_out() -> Response:
    """End the session."""
    access.sign_out()
    return redirect(url_for("login.form"))


def _authenticate() -> UserOut:
    with transaction(runtime().engine) as storage:
        return service.authenticate(storage, text("email"), request.form.get("password", ""))


def _page(message: str = "") -> str:
    following = request.values.get("next", "")
    return render_template(
        "login/form.html", message=message, email=text("email"), following=following
    )
