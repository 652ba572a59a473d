"""Which persona every visitor of an experiment was when they met it."""

import json
from collections import defaultdict
from typing import Any

from sqlmodel import Session, col, select

from experiments.assignment.models import Attribute, Exposure
from experiments.conditions import matches
from experiments.moments.groups import KNOWN_BEFORE, Grouping, Member
from experiments.personas.queries import personas

NOBODY = "no persona"


def by_persona(
    session: Session, experiment: int, *, number: int
) -> tuple[Grouping, list[Member]] | None:
    """The visitors by the first persona whose rule fits what was known; none without personas.

    Args:
        session: the transaction.
        experiment: its number.
        number: what the grouping is called among experiments.
    """
    known = personas(session)
    if not known:
        return None
    names = [item.name for item in known]
    places: dict[str, int] = {}
    rows: list[Member] = []
    for visitor, attributes in _visitors(session, experiment).items():
        told = json.dumps(attributes, sort_keys=True)
        if told not in places:
            fits = (place for place, one in enumerate(known) if matches(one.rule, attributes))
            places[told] = next(fits, len(known))
        rows.append((number, visitor, places[told]))
    values = tuple(json.dumps(name) for name in (*names, NOBODY))
    return Grouping(number=number, attribute="persona", values=values), rows


def _visitors(session: Session, experiment: int) -> dict[int, dict[str, Any]]:
    """What was known of everybody exposed, before they were."""
    found: dict[int, dict[str, Any]] = defaultdict(dict)
    query = (
        select(Exposure.visitor_id, Attribute.key, Attribute.value)
        .outerjoin(Attribute, KNOWN_BEFORE)
        .where(col(Exposure.experiment_id) == experiment)
    )
    for visitor, key, value in session.exec(query):
        known = found[visitor]
        if key:
            known[key] = value
    return found
