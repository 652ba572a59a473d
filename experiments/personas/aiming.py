"""Aiming something at a persona: its rule as a part of an audience; pure."""

from collections.abc import Iterable, Mapping
from typing import Any

from experiments.personas.schemas import PersonaOut

_AND = "$and"


def aimed(persona: PersonaOut | None, more: Mapping[str, Any]) -> dict[str, Any]:
    """The audience of a persona, narrowed by a further condition if there is one."""
    if persona is None:
        return dict(more)
    return {_AND: [persona.rule, dict(more)]} if more else dict(persona.rule)


def parts(
    audience: Mapping[str, Any], personas: Iterable[PersonaOut]
) -> tuple[PersonaOut | None, dict[str, Any]]:
    """The persona that an audience is aimed at, and what narrows it."""
    for persona in personas:
        if audience == persona.rule:
            return persona, {}
        for more in audience.get(_AND, ()):
            if audience == aimed(persona, more):
                return persona, more
    return None, dict(audience)


def is_aimed_at(audience: Mapping[str, Any], rule: Mapping[str, Any]) -> bool:
    """Whether everybody in an audience fits a rule because the audience says it itself.

    >>> is_aimed_at({"$and": [{"plan": "pro"}, {"visits": {"$gt": 3}}]}, {"plan": "pro"})
    True
    >>> is_aimed_at({"plan": "pro", "country": "NL"}, {"plan": "pro"})
    True
    >>> is_aimed_at({"plan": "free"}, {"plan": "pro"})
    False
    """
    said = [audience, *(audience[_AND] if isinstance(audience.get(_AND), list) else ())]
    return any(_says(part, rule) for part in said)


def _says(part: object, rule: Mapping[str, Any]) -> bool:
    return isinstance(part, Mapping) and all(
        key in part and part[key] == expected for key, expected in rule.items()
    )
