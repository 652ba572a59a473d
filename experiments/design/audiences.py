"""Refusing audiences that nobody could ever be in, as far as what is stored tells it."""

from collections.abc import Mapping
from typing import Any

from sqlmodel import Session

from experiments.conditions import compared_with
from experiments.errors import InvalidError
from experiments.journeys import queries as journeys
from experiments.personas import queries as personas


def check_audience(session: Session, audience: Mapping[str, Any], *, journey: str) -> None:
    """Refuse an audience that asks for a persona or a stage of which there is none.

    Stages of every version count, because people walk on where an earlier one leads them.

    Raises:
        InvalidError: naming the persona or the stage, and those that there are.
        NotFoundError: when the audience asks for a stage and there is no such journey.
    """
    asked = compared_with(audience, "persona")
    if asked:
        known = [persona.key for persona in personas.personas(session)]
        _check(asked, known, missing="no persona in use is called", make="describe")
    asked = compared_with(audience, "stage")
    if asked:
        missing = f"{journey!r} has no stage"
        _check(asked, _stages(session, journey), missing=missing, make="draw")


def _check(asked: set[str], known: list[str], *, missing: str, make: str) -> None:
    ways = f"ask for one of {', '.join(known)}, or {make}" if known else make
    for key in sorted(asked.difference(known)):
        raise InvalidError.at("/audience", f"{missing} {key!r}; {ways} it first")


def _stages(session: Session, journey: str) -> list[str]:
    """Every stage of a journey, those of the newest version first."""
    versions = journeys.versions(session, journey)
    return list(dict.fromkeys(stage.key for item in versions for stage in item.graph.stages))
