"""Reading requests, the same way in every view."""

from collections.abc import Mapping

import yaml
from flask import current_app, request

from experiments.errors import InvalidError
from experiments.runtime import Runtime
from web import looking


def runtime() -> Runtime:
    """What the page is about: the installation, or the demonstration for whoever visits it."""
    return looking.visited() or own_runtime()


def own_runtime() -> Runtime:
    """What this process opened when it started; people and their rights are always from here."""
    opened: Runtime = current_app.extensions["desireline"]
    return opened


def text(field: str) -> str:
    """A field of the form without surrounding blanks, empty when absent."""
    return request.form.get(field, "").strip()


def reason() -> str:
    """Why somebody changes something; a change without a reason is not accepted.

    Raises:
        InvalidError: when it is empty.
    """
    given = text("reason")
    if not given:
        raise InvalidError.at("/reason", "say in a few words why, for the people after you")
    return given


def number(field: str) -> float | None:
    """A number from the form; None when the field is empty.

    Raises:
        InvalidError: when it is not a number.
    """
    given = text(field)
    if not given:
        return None
    try:
        return float(given.replace(",", "."))
    except ValueError as error:
        raise InvalidError.at(f"/{field}", f"{given!r} is not a number") from error


def share(field: str) -> float | None:
    """A percentage of the form as a share; rounded, so that 33.3333 thrice can sum to 1."""
    given = number(field)
    return None if given is None else round(given / 100, 9)


def whole_number(field: str) -> int | None:
    """A whole number from the form; None when the field is empty.

    Raises:
        InvalidError: when it is not a whole number.
    """
    given = text(field)
    if not given:
        return None
    if not (given.isascii() and given.isdigit()):
        raise InvalidError.at(f"/{field}", f"{given!r} is not a whole number")
    return int(given)


def page_number() -> int:
    """Which page of a list is asked for, from 1."""
    given = request.args.get("page", "1")
    return max(int(given), 1) if given.isascii() and given.isdigit() else 1


def document(field: str) -> Mapping[str, object]:
    """A mapping written as JSON or YAML; an empty field is an empty mapping.

    Raises:
        InvalidError: when it cannot be read or is not a mapping.
    """
    parsed = _read(field) if text(field) else {}
    if not isinstance(parsed, dict):
        raise InvalidError.at(f"/{field}", 'must be a mapping such as {"country": "NL"}')
    return parsed


def listing(field: str) -> list[object]:
    """A list written as JSON or YAML; an empty field is an empty list.

    Raises:
        InvalidError: when it cannot be read or is not a list.
    """
    parsed = _read(field) if text(field) else []
    if not isinstance(parsed, list):
        raise InvalidError.at(f"/{field}", "must be a list: a line with a dash for each item")
    return parsed


def _read(field: str) -> object:
    try:
        parsed: object = yaml.safe_load(text(field))
    except yaml.YAMLError as error:
        raise InvalidError.at(f"/{field}", f"cannot be read as YAML or JSON: {error}") from error
    return parsed
