"""The script that a site loads with one tag, at an address that stays."""

from functools import cache
from pathlib import Path

from flask import Blueprint, Response

from api.exchange import Reply, Request, flask_response
from api.freshness import etag, is_known

SOURCE = Path(__file__).parents[1] / "clients" / "site" / "desireline.js"
HEADERS = (
    ("Content-Type", "text/javascript; charset=utf-8"),
    ("Cache-Control", "public, max-age=3600, stale-while-revalidate=86400"),
    ("Access-Control-Allow-Origin", "*"),
    ("Cross-Origin-Resource-Policy", "cross-origin"),
    ("X-Content-Type-Options", "nosniff"),
)

blueprint = Blueprint("site", __name__)


@blueprint.get("/site/desireline.js")
def script() -> Response:
    """The script for pages: shows what is answered there and sends what happens."""
    return flask_response(answer)


def answer(request: Request) -> Reply:
    """The script, or 304 when the browser has it."""
    body = shipped()
    tag = etag(body)
    if is_known(request.headers.get("If-None-Match"), tag):
        return Reply(304, b"", (*HEADERS, ("ETag", tag)))
    return Reply(200, body, (*HEADERS, ("ETag", tag)))


@cache
def shipped() -> bytes:
    """The script without its comments and most of its spaces, which a page has no use for."""
    lines = (line.strip() for line in SOURCE.read_text(encoding="utf-8").splitlines())
    text = "\n".join(line for line in lines if line and not line.startswith("//"))
    return text.replace(" => ", "=>").replace(" = ", "=").encode()  # neither is in a text of it
