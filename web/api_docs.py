"""The documentation of the API as a page, made of the document that the API writes of itself."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from shlex import quote
from typing import Any

from flask import Blueprint, current_app, render_template

from web.requests import runtime

blueprint = Blueprint("api_docs", __name__, template_folder="templates")
Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call: where it goes, what the document tells of it, and how to try it."""

    anchor: str
    method: str
    address: str
    told: Document
    curl: str


@blueprint.get("/api/docs")
def page() -> str:
    """Every call and every shape; needs no account, since it tells nothing of what is stored."""
    document: Document = current_app.extensions["api_document"]()
    base = runtime().settings.base_url.rstrip("/")
    found = list(_calls(document, base))
    tags = [
        (tag, [call for call in found if tag["name"] in call.told["tags"]])
        for tag in document["tags"]
    ]
    return render_template("api_docs/page.html", document=document, tags=tags, base=base)


def _calls(document: Document, base: str) -> Iterator[Call]:
    for address, methods in document["paths"].items():
        for method, told in methods.items():
            anchor = told["operationId"].replace(".", "-")
            curl = _curl(method.upper(), f"{base}{address}", told)
            yield Call(anchor=anchor, method=method.upper(), address=address, told=told, curl=curl)


def _curl(method: str, address: str, told: Document) -> str:
    """A command to copy; what stands in braces is to be replaced."""
    lines = [f"curl -s -X {method} {quote(address)}", '-H "Authorization: Bearer $TOKEN"']
    required = [item for item in told["parameters"] if item["in"] == "header" and item["required"]]
    lines += [f'-H "{item["name"]}: $ETAG"' for item in required]
    if "requestBody" in told:
        (content,) = told["requestBody"]["content"].values()
        lines.append(f"-d {quote(json.dumps(content['example'], indent=2))}")
    return " \\\n  ".join(lines)
