"""The OpenAPI 3.1 document of `/api/v1`, made of the routes and of what each view declares."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import version
from typing import Any

import orjson
from flask import Flask
from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from api.endpoint import JSON, Endpoint
from api.errors import PROBLEM_JSON, ProblemOut
from api.examples import example
from api.numbers import LARGEST_NUMBER

PREFIX = "/api/v1"
REFS = "#/components/schemas/{model}"
DESCRIPTION = (
    "Journeys, experiments, metrics and what they say. Send a token with the scope that a call "
    "names. Every error is a problem (RFC 9457) with a request id."
)
PROBLEMS: Mapping[int, str] = {
    400: "The body cannot be read at all.",
    401: "No token, or one that is unknown, expired or revoked.",
    403: "The token lacks the scope.",
    404: "There is no such thing.",
    409: "Its state does not permit this.",
    412: "It has changed since it was read.",
    413: "The body is too large.",
    422: "A field is wrong; nothing was written.",
    428: "`If-Match` is missing.",
    429: "The token has made its calls of this minute; wait for `Retry-After` seconds.",
    503: "The database is away or busy; try again.",
}
TWINS = re.compile(r"experiments__([a-z]+)__[a-z_]+?__(?=[A-Z])")
Document = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One method at one address, with its view."""

    name: str
    method: str
    address: str
    view: Endpoint


def calls(app: Flask) -> list[Call]:
    """Every call of the own API, by address."""
    found = []
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        if isinstance(view, Endpoint):
            name = rule.endpoint.removeprefix("api.")
            address = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)
            methods = sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
            found += [Call(name=name, method=m, address=address, view=view) for m in methods]
    return sorted(found, key=lambda call: (call.address, call.method))


def document(app: Flask) -> Document:
    """The whole document."""
    text = orjson.dumps(_document(calls(app))).decode()
    # Where two slices have a shape of one name, pydantic tells them apart by the whole module.
    plain: Document = orjson.loads(TWINS.sub(lambda found: found[1].title(), text))
    return plain


def _document(found: Sequence[Call]) -> Document:
    references, schemas = _schemas(found)
    paths: Document = {}
    for call in found:
        paths.setdefault(call.address, {})[call.method.lower()] = _operation(call, references)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Desireline",
            "version": version("desireline"),
            "description": DESCRIPTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "tags": _tags(found),
        "paths": paths,
        "components": {
            "schemas": schemas,
            "responses": {str(status): _problem(words) for status, words in PROBLEMS.items()},
            "headers": {
                "RequestId": {
                    "description": "The request's own X-Request-Id, or one made for it.",
                    "schema": {"type": "string"},
                }
            },
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
            },
        },
    }


References = Mapping[Any, Document]  # by the class of a shape


def _schemas(found: Iterable[Call]) -> tuple[References, Document]:
    """Where each shape of a view is described, and the descriptions."""
    wanted: dict[tuple[type[BaseModel], JsonSchemaMode], None] = {
        (ProblemOut, "serialization"): None
    }
    for call in found:
        wanted |= {(shape, "validation"): None for shape in call.view.takes.values()}
        if issubclass(call.view.gives, BaseModel):
            wanted[call.view.gives, "serialization"] = None
    referred, definitions = models_json_schema(list(wanted), ref_template=REFS)
    return {shape: schema for (shape, _), schema in referred.items()}, definitions["$defs"]


def _operation(call: Call, references: References) -> Document:
    view = call.view
    summary, _, rest = (view.__doc__ or "").partition("\n")
    described: Document = {
        "operationId": call.name,
        "tags": [call.name.partition(".")[0]],
        "summary": summary,
        "description": f"{rest.strip()}\n\nNeeds the scope `{view.scope}`.".strip(),
        "security": [{"bearer": [view.scope]}, {"key": [view.scope]}],
        "parameters": _parameters(call),
        "responses": _responses(call, references),
    }
    for shape in view.takes.values():
        described["requestBody"] = {
            "required": bool(references[shape]),
            "content": {JSON: {"schema": references[shape], "example": example(shape)}},
        }
    return described


def _parameters(call: Call) -> list[Document]:
    parts = [
        {"name": name, "in": "path", "required": True, "schema": _part(kind)}
        for name, kind in call.view.parts.items()
    ]
    return parts + _in_query(call.view) + _in_headers(call)


def _part(kind: type) -> Document:
    if kind is int:
        return {"type": "integer", "minimum": 0, "maximum": LARGEST_NUMBER}
    return {"type": "string", "minLength": 1}


def _in_query(view: Endpoint) -> list[Document]:
    found = []
    for shape in view.asks.values():
        schema = TypeAdapter(shape).json_schema(ref_template=REFS)
        for name, field in schema["properties"].items():
            words = field.pop("description", "")
            inner = _inlined(field, schema.get("$defs", {}))
            found.append({"name": name, "in": "query", "description": words, "schema": inner})
    return found


def _inlined(field: Document, definitions: Mapping[str, Document]) -> Document:
    """A parameter's schema without references, since only bodies have components."""
    items = field.get("items", {})
    name = items.get("$ref", "").rpartition("/")[2]
    return {**field, "items": definitions[name]} if name in definitions else field


def _in_headers(call: Call) -> list[Document]:
    if call.view.versioned and call.method == "PUT":
        return [_header("If-Match", "The `ETag` that reading it gave.", required=True)]
    if call.method == "POST":
        words = "Names this request, so that sending it again repeats the answer, not the effect."
        return [_header("Idempotency-Key", words, required=False)]
    return []


def _header(name: str, words: str, *, required: bool) -> Document:
    schema = {"type": "string", "pattern": "^[\\x21-\\x7e]{1,255}$"}
    place = {"name": name, "in": "header", "required": required}
    return {**place, "description": words, "schema": schema}


def _responses(call: Call, references: References) -> Document:
    view = call.view
    success: Document = {"description": "Done." if view.gives is type(None) else "The answer."}
    success["headers"] = {"X-Request-Id": {"$ref": "#/components/headers/RequestId"}}
    if issubclass(view.gives, BaseModel):
        success["content"] = {JSON: {"schema": references[view.gives]}}
    elif view.gives is not type(None):
        success["content"] = {view.media: {"schema": {"type": "string"}}}
    if view.versioned:
        words = "Send it as `If-Match` to write this again."
        success["headers"]["ETag"] = {"description": words, "schema": {"type": "string"}}
    responses: Document = {str(view.status): success}
    if view.versioned and call.method == "GET":
        responses["304"] = {"description": "`If-None-Match` names what stands."}
    problems = {str(s): {"$ref": f"#/components/responses/{s}"} for s in sorted(_problems(call))}
    return responses | problems


def _problems(call: Call) -> set[int]:
    """The statuses of the problems that a call can answer."""
    view, writes = call.view, call.method != "GET"
    found = {401, 403, 404, 503}
    if view.takes:
        found |= {400, 413}
    if writes or view.asks:
        found.add(422)
    if writes:
        found.add(409)
    if writes and view.versioned:
        found |= {412, 428}
    if view.counted:
        found.add(429)
    return found


def _problem(words: str) -> Document:
    schema = {"$ref": REFS.format(model=ProblemOut.__name__)}
    headers = {"X-Request-Id": {"$ref": "#/components/headers/RequestId"}}
    return {"description": words, "headers": headers, "content": {PROBLEM_JSON: {"schema": schema}}}


def _tags(found: Iterable[Call]) -> list[Document]:
    """One tag per file of views, in its own words."""
    modules = {call.name.partition(".")[0]: call.view.__module__ for call in found}
    told = {name: (import_module(path).__doc__ or "").strip() for name, path in modules.items()}
    return [{"name": name, "description": words} for name, words in sorted(told.items())]
