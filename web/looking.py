"""Who looks at the demonstration: pages are made of its data until they leave it again."""

from dataclasses import dataclass
from threading import Lock

from flask import current_app, request, session

from experiments.runtime import Runtime, open_runtime
from experiments.simulation import tryout

VISITING = "demo"
OWN = frozenset({"login", "settings", "delivery", "start", "tryout", "jobs", "imports", "shared"})
"""Pages about the installation itself, also for whoever visits the demonstration."""


@dataclass(slots=True)
class Visited:
    """The demonstration that this process has opened, and which one it is."""

    lock: Lock
    opened: Runtime | None = None
    made_at: int | None = None


def visited() -> Runtime | None:
    """The demonstration, when the page asked for is about it; None for the real thing."""
    if not session.get(VISITING) or request.blueprint in OWN:
        return None
    known: Visited = current_app.extensions["visited"]
    own: Runtime = current_app.extensions["desireline"]
    made_at = tryout.made_at(own.settings)
    with known.lock:
        if known.made_at != made_at:
            if known.opened is not None:
                known.opened.close()
            fresh = tryout.own_settings(own.settings)
            known.opened = None if made_at is None else open_runtime(fresh, own.clock)
            known.made_at = made_at
        return known.opened


def context() -> dict[str, object]:
    """What every template may ask: whether it shows the demonstration."""
    return {"is_demo": visited() is not None}
