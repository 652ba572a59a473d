"""Imports: what was brought in from files, what was refused, and how to import."""

from flask import Blueprint, render_template

from experiments.accounts.schemas import Role
from experiments.database import reading
from experiments.imports import queries
from web import access
from web.requests import runtime

blueprint = Blueprint("imports", __name__, template_folder="templates")


@blueprint.get("/imports")
@access.needs(Role.VIEWER)
def index() -> str:
    """Every import, the newest first."""
    with reading(runtime().engine) as session:
        found = queries.imports(session)
    return render_template("imports/index.html", imports=found)
