"""The dashboard: pages made on the server, readable without JavaScript, one blueprint per file."""

from flask import Flask

from web import (
    access,
    audit,
    contents,
    csrf,
    events,
    experiment_steps,
    experiments,
    filters,
    headers,
    home,
    jobs,
    journeys,
    login,
    reports,
    settings,
    versions,
    visitors,
)
from web.readings import evidence

PARTS = (
    home,
    login,
    journeys,
    versions,
    contents,
    experiments,
    experiment_steps,
    reports,
    visitors,
    events,
    jobs,
    audit,
    settings,
)


def register(app: Flask) -> None:
    """Mount every page."""
    filters.register(app)
    app.jinja_options = {"trim_blocks": True, "lstrip_blocks": True}
    app.add_template_global(csrf.token, "csrf_token")
    app.add_template_filter(evidence)
    app.context_processor(access.context)
    for part in PARTS:
        part.blueprint.before_request(csrf.check)
        part.blueprint.after_request(headers.protect)
        app.register_blueprint(part.blueprint)
