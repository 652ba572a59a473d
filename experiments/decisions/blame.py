"""Why is this here: the person or the promotion behind every node of a standard journey."""

from datetime import datetime
from enum import StrEnum

from sqlmodel import Session

from experiments.decisions import queries
from experiments.decisions.origins import origins
from experiments.decisions.schemas import PromotionOut
from experiments.errors import NotFoundError
from experiments.journeys import queries as journeys
from experiments.journeys.schemas import JourneyGraph, VersionOut
from experiments.shapes import Out


class Origin(StrEnum):
    """What put a node where it is."""

    PERSON = "person"
    PROMOTION = "promotion"
    REVERT = "revert"


class BlameOut(Out):
    """Since which version a node is what it is, and why."""

    node: str
    content: str | None
    version: int
    origin: Origin
    at: datetime | None
    by: str
    reason: str
    decision: int | None
    promotion: PromotionOut | None


def blame(session: Session, journey: str, *, node: str = "") -> list[BlameOut]:
    """Where every node of the standard comes from, in the order of the map.

    Args:
        session: the transaction.
        journey: key of the journey.
        node: only this node and what lies inside it, such as `touchpoints/hero`; all when empty.

    Raises:
        NotFoundError: when there is no such journey, standard or node.
    """
    standard = journeys.standard(session, journey)
    if standard is None:
        raise NotFoundError(f"standard version of journey {journey!r}", journey)
    numbers = [item.number for item in journeys.publications(session, journey)]
    versions = {item.number: item for item in journeys.versions(session, journey)}
    made = {item.id: item for item in queries.promotions(session, journey=journey)}
    since = origins([(number, versions[number].graph) for number in numbers])
    found = [
        _out(place, standard.graph, versions[number], made)
        for place, number in since.items()
        if not node or place == node or place.startswith(f"{node}/")
    ]
    if node and not found:
        raise NotFoundError(f"node of journey {journey!r}", node)
    return found


def _out(
    node: str, graph: JourneyGraph, version: VersionOut, made: dict[int, PromotionOut]
) -> BlameOut:
    source = version.provenance
    number = source.get("promotion") or source.get("reverts_promotion")
    return BlameOut(
        node=node,
        content=_content(node, graph),
        version=version.number,
        origin=_origin(version),
        at=version.published_at,
        by=source.get("actor") or version.created_by,
        reason=version.note,
        decision=source.get("decision"),
        promotion=made.get(number) if isinstance(number, int) else None,
    )


def _origin(version: VersionOut) -> Origin:
    if "promotion" in version.provenance:
        return Origin.PROMOTION
    is_revert = {"reverts_promotion", "revert_to"} & version.provenance.keys()
    return Origin.REVERT if is_revert else Origin.PERSON


def _content(node: str, graph: JourneyGraph) -> str | None:
    """What a slot shows, as key and version."""
    kind, key, *inside = node.split("/")
    if kind != "touchpoints" or not inside:
        return None
    slot = graph.slot(key, inside[-1])
    return f"{slot.content} version {slot.content_version}" if slot else None
