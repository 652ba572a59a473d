"""What people look at: server-rendered pages, one blueprint per file."""

from flask import Flask


def register(app: Flask) -> None:
    """Mount every page."""
