"""Refusing audiences that nobody could ever be in, as far as what is stored tells it."""

from collections.abc import Mapping
from typing import Any

from sqlmodel import Session

from experiments.conditions import compared_with
from experiments.errors import InvalidError
from experiments.personas import queries as personas


def check_audience(session: Session, audience: Mapping[str, Any]) -> None:
    """Refuse an audience that asks for a persona of which there is none.

    Raises:
        InvalidError: naming the persona, and those that there are.
    """
    asked = compared_with(audience, "persona")
    if not asked:
        return
    known = [persona.key for persona in personas.personas(session)]
    for key in sorted(asked.difference(known)):
        there_are = f"ask for one of {', '.join(known)}, or describe" if known else "describe"
        detail = f"there is no persona {key!r} in use; {there_are} it first"
        raise InvalidError.at("/audience", detail)
