"""The navigation: the pages that people need daily, the others folded by what they serve."""

from dataclasses import dataclass

from flask import request


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A page of the navigation; pages of its `parts` belong to it too."""

    label: str
    endpoint: str
    parts: tuple[str, ...] = ()

    @property
    def is_here(self) -> bool:
        """Whether the page being made is this one or belongs to it."""
        return request.blueprint in {self.endpoint.partition(".")[0], *self.parts}


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Places that serve one purpose; folded unless one of them is open."""

    label: str
    places: tuple[Place, ...]

    @property
    def is_here(self) -> bool:
        """Whether one of its places is open."""
        return any(place.is_here for place in self.places)


DAILY = (
    Place(label="Today", endpoint="home.page", parts=("notifications",)),
    Place(
        label="Journeys", endpoint="journeys.index", parts=("versions", "contents", "map_editor")
    ),
    Place(label="Experiments", endpoint="experiments.index", parts=("steps", "drafts")),
    Place(label="Learnings", endpoint="learnings.index"),
    Place(label="Reports", endpoint="reports.index"),
)
GROUPS = (
    Group(
        label="Trust",
        places=(
            Place(label="Trust lights", endpoint="trust.index"),
            Place(label="Calibration", endpoint="probation.index"),
            Place(label="Layers and holdouts", endpoint="exclusion.index"),
        ),
    ),
    Group(
        label="Data",
        places=(
            Place(label="Metrics", endpoint="metrics.index"),
            Place(label="Personas", endpoint="personas.index"),
            Place(label="Visitors", endpoint="visitors.index", parts=("replay",)),
            Place(label="Events", endpoint="events.index"),
            Place(label="Imports", endpoint="imports.index"),
        ),
    ),
    Group(
        label="Operation",
        places=(
            Place(label="Jobs", endpoint="jobs.index"),
            Place(label="Audit", endpoint="audit.index"),
            Place(label="Settings", endpoint="settings.index", parts=("api_docs",)),
            Place(label="First steps", endpoint="start.page", parts=("tryout",)),
        ),
    ),
)


def places() -> list[Place]:
    """Every page of the navigation."""
    return [*DAILY, *(place for group in GROUPS for place in group.places)]


def context() -> dict[str, object]:
    """What the frame of every page needs."""
    return {"daily": DAILY, "groups": GROUPS}
