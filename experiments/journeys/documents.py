"""Journeys as documents: YAML or JSON text, and the templates that come with the product."""

from importlib.resources import files
from typing import Any

import yaml

from experiments.errors import MalformedError
from experiments.journeys.schemas import JourneyIn, TemplateIn
from experiments.shapes import parse

_KEY_PLACE = "{journey}"


def read(text: str) -> JourneyIn:
    """A journey from YAML text; JSON is YAML too.

    Raises:
        MalformedError: when the text is not YAML, with the line and column.
        InvalidError: when a field is wrong.
    """
    return parse(JourneyIn, load(text))


def load(text: str) -> dict[str, Any]:
    """The mapping that a YAML or JSON text holds.

    Raises:
        MalformedError: when the text is not YAML, with the line and column, or no mapping.
    """
    try:
        data = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        raise MalformedError(_where(error)) from error
    except yaml.YAMLError as error:
        message = f"The document is not valid YAML: {error}"
        raise MalformedError(message) from error
    if not isinstance(data, dict):
        message = "The document must be a mapping, with fields such as key and name."
        raise MalformedError(message)
    return data


def from_template(data: TemplateIn) -> JourneyIn:
    """The journey that a template makes; its metrics are named `<journey>.<stage>`."""
    folder = files("experiments.journeys") / "templates"
    text = (folder / f"{data.template}.yaml").read_text(encoding="utf-8")
    made = read(text.replace(_KEY_PLACE, data.key))
    return made.model_copy(update={"name": data.name, "owner": data.owner})


def _where(error: yaml.MarkedYAMLError) -> str:
    mark = error.problem_mark
    place = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
    return f"The document is not valid YAML{place}: {error.problem or error.context}."
