"""The dashboard: pages made on the server, readable without JavaScript, one blueprint per file."""

from threading import Lock

from flask import Flask, Response, request

from web import (
    access,
    api_docs,
    audit,
    contents,
    csrf,
    delivery,
    drafts,
    events,
    exclusion,
    experiment_steps,
    experiments,
    filters,
    headers,
    home,
    imports,
    jobs,
    journeys,
    jump,
    learnings,
    login,
    looking,
    map_editor,
    metrics,
    navigation,
    notifications,
    personas,
    probation,
    replay,
    reports,
    settings,
    shared,
    start,
    throttle,
    trust,
    tryout,
    versions,
    visitors,
)

PARTS = (
    home,
    start,
    tryout,
    login,
    jump,
    journeys,
    versions,
    map_editor,
    contents,
    experiments,
    experiment_steps,
    drafts,
    exclusion,
    metrics,
    learnings,
    trust,
    notifications,
    personas,
    probation,
    replay,
    reports,
    visitors,
    events,
    imports,
    jobs,
    audit,
    settings,
    delivery,
    shared,
    api_docs,
)


def register(app: Flask) -> None:
    """Mount every page."""
    filters.register(app)
    app.extensions["login_limiter"] = throttle.limiter()
    app.jinja_options = {"trim_blocks": True, "lstrip_blocks": True}
    app.add_template_global(csrf.token, "csrf_token")
    app.context_processor(access.context)
    app.context_processor(navigation.context)
    app.context_processor(looking.context)
    app.extensions["visited"] = looking.Visited(Lock())
    for part in PARTS:
        app.register_blueprint(part.blueprint)
    app.before_request(_check_form)
    app.after_request(_protect)


def _check_form() -> None:
    if request.blueprint in {part.blueprint.name for part in PARTS}:
        csrf.check()


def _protect(response: Response) -> Response:
    # Also what belongs to nobody, such as the page for an unknown address.
    is_api = (request.blueprint or "").startswith("api.")
    return response if is_api else headers.protect(response)
