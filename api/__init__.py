"""What machines talk to: JSON over HTTP, one blueprint per file."""

from flask import Flask


def register(app: Flask) -> None:
    """Mount every part of the API."""
