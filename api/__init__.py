"""What machines talk to: JSON over HTTP, one blueprint per file."""

from flask import Flask

from api import (
    accounts,
    audit,
    jobs,
    operation,
)

PARTS = (
    accounts,
    audit,
    jobs,
    operation,
)


def register(app: Flask) -> None:
    """Mount every part of the API."""
    for part in PARTS:
        app.register_blueprint(part.blueprint)
