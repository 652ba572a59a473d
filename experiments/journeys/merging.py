"""Merging a proposed map into a standard that went on meanwhile: three ways, node by node; pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from experiments.journeys.schemas import JourneyGraph

GONE = object()
"""Stands for what is not there, since None is a value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """The map that holds both changes, and the places where they contradict each other."""

    graph: JourneyGraph | None = None
    conflicts: tuple[str, ...] = ()


def merge(base: JourneyGraph, current: JourneyGraph, proposed: JourneyGraph) -> Merged:
    """What was changed from `base` to `proposed`, done to `current`.

    A change that both made alike is no conflict. Where both changed the same place differently
    the merge names the place, like `stages/aware/touchpoints/hero/slots/headline/content`, and
    gives no map.
    """
    conflicts: list[str] = []
    found = _merged(
        _keyed(base.model_dump(mode="json")),
        _keyed(current.model_dump(mode="json")),
        _keyed(proposed.model_dump(mode="json")),
        place="",
        conflicts=conflicts,
    )
    if conflicts:
        return Merged(conflicts=tuple(conflicts))
    return Merged(graph=JourneyGraph.model_validate(_plain(found)))


@dataclass(frozen=True, slots=True)
class _Keyed:
    """A list whose items have keys; two are the same when their order is, too."""

    items: tuple[tuple[str, Any], ...]


def _merged(base: Any, ours: Any, theirs: Any, *, place: str, conflicts: list[str]) -> Any:
    if ours == theirs or theirs == base:
        return ours
    if ours == base:
        return theirs
    parts = [
        dict(part.items) if isinstance(part, _Keyed) else part for part in (base, ours, theirs)
    ]
    if not all(isinstance(part, dict) for part in parts):
        conflicts.append(place.lstrip("/"))
        return ours
    before, mine, yours = parts
    found = {}
    for key in _order(before, mine, yours):
        sides = (side.get(key, GONE) for side in (before, mine, yours))
        value = _merged(*sides, place=f"{place}/{key}", conflicts=conflicts)
        if value is not GONE:
            found[key] = value
    return _Keyed(tuple(found.items())) if isinstance(ours, _Keyed) else found


def _order(before: dict[str, Any], mine: dict[str, Any], yours: dict[str, Any]) -> Iterator[str]:
    """Every key once: in the order of whoever moved something, newcomers after their neighbour."""
    common = [key for key in before if key in mine and key in yours]
    is_mine_moved = [key for key in mine if key in common] != common
    first, second = (mine, yours) if is_mine_moved else (yours, mine)
    order = list(first)
    neighbour = -1
    for key in second:
        if key in first:
            neighbour = order.index(key)
        else:
            neighbour += 1
            order.insert(neighbour, key)
    yield from order


def _keyed(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _keyed(item) for key, item in value.items()}
    if isinstance(value, list) and all(_has_key(item) for item in value):
        return _Keyed(tuple((item["key"], _keyed(item)) for item in value))
    return value


def _has_key(item: Any) -> bool:
    return isinstance(item, dict) and "key" in item


def _plain(value: Any) -> Any:
    if isinstance(value, _Keyed):
        return [_plain(item) for _, item in value.items]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value
