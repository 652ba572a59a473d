"""Reading requests and writing answers, the same way in every view."""

from collections.abc import Sequence
from typing import TypeVar

import orjson
from flask import Response, current_app, request
from pydantic import BaseModel, TypeAdapter

from experiments.errors import InvalidError, MalformedError
from experiments.runtime import Runtime
from experiments.shapes import Out, parse

Shape = TypeVar("Shape", bound=BaseModel)
DEFAULT_PAGE = 50
LARGEST_PAGE = 200
_anything = TypeAdapter(object)


def runtime() -> Runtime:
    """What this process opened when it started."""
    opened: Runtime = current_app.extensions["desireline"]
    return opened


def body(shape: type[Shape]) -> Shape:
    """The request's JSON body as `shape`.

    Raises:
        MalformedError: when it is not JSON.
        InvalidError: when a field is wrong.
    """
    try:
        data = orjson.loads(request.get_data() or b"{}")
    except orjson.JSONDecodeError as error:
        message = f"The body is not valid JSON: {error}"
        raise MalformedError(message) from error
    return parse(shape, data)


def answer(result: Out | Sequence[Out] | dict[str, object], status: int = 200) -> Response:
    """The result as JSON."""
    return Response(_anything.dump_json(result), status=status, mimetype="application/json")


def page_size() -> int:
    """How many items the caller wants, at most."""
    limit = _whole_number("limit", DEFAULT_PAGE)
    if not 1 <= limit <= LARGEST_PAGE:
        raise InvalidError.at("/limit", f"must be between 1 and {LARGEST_PAGE}")
    return limit


def cursor() -> int | None:
    """Where the page before ended, as its `next_cursor` said."""
    return _whole_number("cursor", 0) or None


def page(items: Sequence[Out], next_cursor: int | None = None) -> Response:
    """One page of items, with the cursor of the next if there is one."""
    return answer({"data": items, "next_cursor": next_cursor})


def _whole_number(field: str, default: int) -> int:
    text = request.args.get(field, "")
    if not text:
        return default
    if not (text.isascii() and text.isdigit()):
        raise InvalidError.at(f"/{field}", "must be a whole number")
    return int(text)
