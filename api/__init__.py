"""What machines talk to: JSON over HTTP, one blueprint per file."""

from flask import Blueprint, Flask

from api import (
    accounts,
    audit,
    exclusion,
    experiments,
    growthbook,
    jobs,
    journeys,
    metrics,
    notifications,
    ofrep,
    operation,
    reports,
    resolve,
    results,
    site,
    tracking,
    visitors,
)

PARTS = (
    accounts,
    audit,
    exclusion,
    experiments,
    growthbook,
    jobs,
    journeys,
    metrics,
    notifications,
    ofrep,
    operation,
    reports,
    resolve,
    results,
    site,
    tracking,
    visitors,
)


def register(app: Flask) -> None:
    """Mount every part of the API, under a name of its own beside the pages."""
    root = Blueprint("api", __name__)
    for part in PARTS:
        root.register_blueprint(part.blueprint)
    app.register_blueprint(root)
