"""Reading requests and writing answers, the same way in every view."""

from typing import TypeVar, get_origin

import orjson
from flask import Response, current_app, request
from pydantic import BaseModel, TypeAdapter

from experiments.errors import MalformedError
from experiments.runtime import Runtime
from experiments.shapes import parse, parse_json

Shape = TypeVar("Shape", bound=BaseModel)
_anything = TypeAdapter(object)


def runtime() -> Runtime:
    """What this process opened when it started."""
    opened: Runtime = current_app.extensions["desireline"]
    return opened


def body(shape: type[Shape]) -> Shape:
    """The JSON body of Flask's request as `shape`; no body is an empty object.

    Raises:
        MalformedError: when it is not JSON.
        InvalidError: when a field is wrong.
    """
    return document(shape, request.get_data())


def document(shape: type[Shape], body: bytes) -> Shape:
    """A JSON document as `shape`; nothing is an empty object.

    Raises:
        MalformedError: when it is not JSON.
        InvalidError: when a field is wrong.
    """
    try:
        # Read twice, because the second reader would take what is not JSON, such as NaN.
        data = orjson.dumps(orjson.loads(body or b"{}"))
    except orjson.JSONDecodeError as error:
        message = f"The body is not valid JSON: {error}"
        raise MalformedError(message) from error
    return parse_json(shape, data)


def query(shape: type[Shape]) -> Shape:
    """What stands in the address behind the question mark, as `shape`.

    Raises:
        InvalidError: when a field is wrong or unknown.
    """
    given = request.args.to_dict(flat=False)
    fields = shape.model_fields
    many = {name for name, field in fields.items() if get_origin(field.annotation) is list}
    return parse(shape, {name: v if name in many else v[-1] for name, v in given.items()})


def answer(result: BaseModel | dict[str, object], status: int = 200) -> Response:
    """The result as JSON."""
    return Response(json_bytes(result), status=status, mimetype="application/json")


def json_bytes(result: BaseModel | dict[str, object]) -> bytes:
    """The result as the bytes of a JSON document."""
    return _anything.dump_json(result)
