"""Serves requests: `create_app()` puts the API and the pages on one runtime."""

import gc

from flask import Flask, Response

import api
import web
from api import errors as api_errors
from api import hotpath, meter
from experiments import logs
from experiments.clock import Clock
from experiments.runtime import open_runtime
from experiments.settings import Settings
from web import errors as web_errors

LARGEST_BODY_BYTES = 5_000_000
OBJECTS_BETWEEN_COLLECTIONS = 50_000


def create_app(settings: Settings | None = None, clock: Clock | None = None) -> Flask:
    """Build the application; `settings` come from the environment when not given."""
    settings = settings or Settings()
    logs.configure(as_json=settings.log_json)
    app = Flask(__name__, static_folder=None)
    app.url_map.strict_slashes = False
    app.config.update(
        SECRET_KEY=settings.signing_key(),
        MAX_CONTENT_LENGTH=LARGEST_BODY_BYTES,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.secure_cookies,
    )
    app.extensions["desireline"] = open_runtime(settings, clock)
    app.register_error_handler(Exception, _respond)
    meter.observe(app)
    api.register(app)
    web.register(app)
    hotpath.mount(app)
    return app


def create_worker() -> Flask:
    """The application of a process that serves until it ends.

    What is imported stays for ever, so that the collector need not look through it: it would
    stop every thread for a quarter of a second each time a ruleset is read. What requests bring is
    no cycle, and the collector's usual step is less than one batch of events.
    """
    app = create_app()
    gc.collect()
    gc.freeze()
    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS)
    return app


def _respond(error: Exception) -> Response:
    if api_errors.is_api():
        return api_errors.respond(error)
    return web_errors.respond(error)
