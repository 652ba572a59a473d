"""What differs between two maps, at paths that a person can read; pure."""

from collections.abc import Iterator
from typing import Any

from experiments.journeys.schemas import Change, JourneyGraph


def differences(before: JourneyGraph, after: JourneyGraph) -> list[Change]:
    """Every difference, in the order of the later map; keyed things are matched by key."""
    return list(_changes("", before.model_dump(mode="json"), after.model_dump(mode="json")))


def _changes(path: str, before: Any, after: Any) -> Iterator[Change]:
    if before == after:
        return
    if isinstance(before, dict) and isinstance(after, dict):
        yield from _changed_fields(path, before, after)
    elif _is_keyed(before) and _is_keyed(after):
        yield from _changed_fields(path, _by_key(before), _by_key(after))
        yield from _moved(path, list(_by_key(before)), list(_by_key(after)))
    else:
        yield Change(path=path, kind="changed", before=before, after=after)


def _changed_fields(path: str, before: dict[str, Any], after: dict[str, Any]) -> Iterator[Change]:
    for key, value in after.items():
        place = f"{path}/{key}".lstrip("/")
        if key in before:
            yield from _changes(place, before[key], value)
        else:
            yield Change(path=place, kind="added", after=value)
    for key, value in before.items():
        if key not in after:
            yield Change(path=f"{path}/{key}".lstrip("/"), kind="removed", before=value)


def _moved(path: str, before: list[str], after: list[str]) -> Iterator[Change]:
    kept_before = [key for key in before if key in after]
    kept_after = [key for key in after if key in before]
    if kept_before != kept_after:
        yield Change(path=path, kind="reordered", before=kept_before, after=kept_after)


def _is_keyed(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(item, dict) and "key" in item for item in value
    )


def _by_key(items: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {item["key"]: item for item in items}
