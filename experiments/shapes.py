"""The ground that every In and Out shape stands on."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from experiments.errors import InvalidError, Problem

LONGEST_KEY = 80
Key = Annotated[
    str,
    StringConstraints(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", min_length=1, max_length=LONGEST_KEY
    ),
]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Text = Annotated[str, StringConstraints(max_length=4000)]
_NOT_IN_KEYS = re.compile(r"[^a-z0-9]+")
JsonValue = str | bool | int | float | dict[str, Any] | list[Any]


def key_of(name: str) -> str:
    """A key made of a name.

    >>> key_of("Shorter headline, please!")
    'shorter-headline-please'
    """
    return _NOT_IN_KEYS.sub("-", name.lower()).strip("-")[:LONGEST_KEY].strip("-")


class In(BaseModel):
    """What a caller may send: unknown fields are refused by name, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Out(BaseModel):
    """What a caller gets: built from keyword arguments or from attributes, never changed."""

    model_config = ConfigDict(frozen=True, from_attributes=True)


Shape = TypeVar("Shape", bound=BaseModel)


def parse(shape: type[Shape], data: Mapping[str, Any] | Any) -> Shape:
    """Read `data` as `shape`.

    Raises:
        InvalidError: with one problem per wrong field.
    """
    try:
        return shape.model_validate(data)
    except ValidationError as error:
        raise invalid(error) from error


def parse_json(shape: type[Shape], text: bytes) -> Shape:
    """Read a JSON document as `shape`, to the letter: "1" is no number.

    Raises:
        InvalidError: with one problem per wrong field.
    """
    try:
        return shape.model_validate_json(text, strict=True)
    except ValidationError as error:
        raise invalid(error) from error


def invalid(error: ValidationError) -> InvalidError:
    """What pydantic found wrong, in our words."""
    return InvalidError([_problem(item) for item in error.errors()])


def _problem(item: Any) -> Problem:
    parts = (str(part).replace("~", "~0").replace("/", "~1") for part in item["loc"])
    pointer = "".join(f"/{part}" for part in parts)
    if item["type"] == "extra_forbidden":
        return Problem(pointer, "unknown field; check the spelling or remove it")
    if item["type"] == "missing":
        return Problem(pointer, "is required")
    return Problem(pointer, item["msg"].removeprefix("Value error, "))
