"""What machines talk to: JSON over HTTP, one blueprint per file."""

from functools import cache, partial

from flask import Blueprint, Flask

from api import (
    accounts,
    audit,
    delivery,
    documentation,
    events,
    exclusion,
    experiments,
    growthbook,
    jobs,
    journeys,
    learnings,
    metrics,
    notifications,
    ofrep,
    operation,
    personas,
    probation,
    rate,
    reports,
    request_id,
    resolve,
    results,
    site,
    tracking,
    trust,
    visitors,
)
from api.numbers import NumberConverter
from api.openapi import document

PARTS = (
    accounts,
    audit,
    delivery,
    documentation,
    events,
    exclusion,
    experiments,
    growthbook,
    jobs,
    journeys,
    learnings,
    metrics,
    notifications,
    ofrep,
    operation,
    personas,
    probation,
    reports,
    resolve,
    results,
    site,
    tracking,
    trust,
    visitors,
)


def register(app: Flask) -> None:
    """Mount every part of the API, under a name of its own beside the pages."""
    app.url_map.converters["int"] = NumberConverter
    app.url_map.merge_slashes = False  # a redirect would be the answer to an empty part
    app.before_request(request_id.begin)
    app.after_request(request_id.tell)
    app.after_request(rate.tell)
    app.extensions["api_rate"] = rate.limiter()
    app.extensions["api_document"] = cache(partial(document, app))
    root = Blueprint("api", __name__)
    for part in PARTS:
        root.register_blueprint(part.blueprint)
    app.register_blueprint(root)
