"""The list of experiments: what the address asks for, the lines that fit, and how many by state."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from flask import request

from experiments.analysis import queries as analysis
from experiments.analysis.schemas import Readout, Trust
from experiments.database import reading
from experiments.design import listing
from experiments.design.listing import ExperimentLine, Wanted
from experiments.design.schemas import Status
from experiments.formats import words
from experiments.journeys import queries as journeys
from experiments.journeys.schemas import VersionOut
from experiments.reports.judgements import latest_sentences
from web.requests import page_number, runtime

LINES_SHOWN = 25
ENDED = (
    Status.KEPT,
    Status.NEUTRAL,
    Status.SOONER,
    Status.INCONCLUSIVE,
    Status.ABORTED,
)
TABS = {
    "all": ("All", tuple(Status)),
    "draft": ("Drafts", (Status.DRAFT, Status.SCHEDULED)),
    "open": ("Under way", (Status.RUNNING, Status.PAUSED, Status.MATURING)),
    "decided": ("Waiting for approval", (Status.DECIDED,)),
    "promoted": ("Promoted", (Status.PROMOTED,)),
    "ended": ("Ended", ENDED),
    "archived": ("Archived", (Status.ARCHIVED,)),
}
ORDERS = {
    "newest": "Newest first",
    "started": "Started last",
    "name": "Name",
    "owner": "Owner",
    "state": "State",
}
UNSEEN = "unseen"
HEALTH = {
    "": "Any",
    "green": "Trusted",
    "amber": "With care",
    "red": "Not trusted",
    UNSEEN: "Not looked at yet",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One page of the list, and what its filters offer; everything by id is of the lines shown."""

    asked: Mapping[str, str]
    page: int
    has_more: bool
    lines: list[ExperimentLine]
    tabs: list[tuple[str, str, int]]
    owners: list[str]
    journeys: list[tuple[str, str]]
    stages_offered: list[tuple[str, str]]
    stages: Mapping[int, str]
    points: Mapping[int, str]
    arms: Mapping[tuple[int, str], str]
    trust: Mapping[int, Trust]
    readouts: Mapping[int, Readout]
    sentences: Mapping[int, str]


def listed() -> Listed:
    """What the address asks for."""
    asked, page, now = _asked(), page_number(), runtime().clock.now()
    with reading(runtime().engine) as session:
        known = journeys.journeys(session)
        standards = {item.key: journeys.standard(session, item.key) for item in known}
        order = listing.Order(asked["sort"])
        found = listing.matching(session, _wanted(asked, standards), order=order)
        if asked["health"]:
            lights = analysis.trusts(session, found, at=now)
            found = {
                number: status
                for number, status in found.items()
                if _light(lights.get(number)) == asked["health"]
            }
        ids = [number for number, status in found.items() if status in TABS[asked["tab"]][1]]
        shown = ids[(page - 1) * LINES_SHOWN : page * LINES_SHOWN]
        by_id = listing.lines_of(session, shown)
        lines = [by_id[number] for number in shown]
        return Listed(
            asked=asked,
            page=page,
            has_more=len(ids) > page * LINES_SHOWN,
            lines=lines,
            tabs=_tabs(found),
            owners=listing.owners(session),
            journeys=[(item.key, item.name) for item in known],
            stages_offered=_stages_offered(asked["journey"], standards),
            stages={line.id: _stage(standards[line.journey], line.touchpoint) for line in lines},
            points={line.id: _point(standards[line.journey], line.touchpoint) for line in lines},
            arms={
                (arm.experiment_id, arm.key): arm.called
                for arm in listing.arms_of(session, shown).values()
            },
            trust=analysis.trusts(session, {line.id: line.status for line in lines}, at=now),
            readouts=analysis.newest_readouts(session, shown),
            sentences=latest_sentences(session, as_of=now),
        )


def _asked() -> dict[str, str]:
    """State, text and filters of the list; what is not known falls back to everything."""
    given = {
        field: request.args.get(field, "").strip()
        for field in ("q", "journey", "stage", "owner", "health")
    }
    tab, sort = request.args.get("tab", ""), request.args.get("sort", "")
    return {
        "tab": tab if tab in TABS else "all",
        **given,
        "sort": sort if sort in ORDERS else "newest",
        "health": given["health"] if given["health"] in HEALTH else "",
    }


def _wanted(asked: Mapping[str, str], standards: Mapping[str, VersionOut | None]) -> Wanted:
    return Wanted(
        text=asked["q"],
        journey=asked["journey"],
        owner=asked["owner"],
        touchpoints=_touchpoints(asked["stage"], standards.values()) if asked["stage"] else None,
    )


def _touchpoints(stage: str, standards: Iterable[VersionOut | None]) -> set[str]:
    """The touchpoints of every standard journey that belong to a stage of that key."""
    found = (standard.graph.stage(stage) for standard in standards if standard)
    return {point.key for item in found if item for point in item.touchpoints}


def _stages_offered(
    journey: str, standards: Mapping[str, VersionOut | None]
) -> list[tuple[str, str]]:
    """Stages of the journey that is asked for, or of the only one."""
    only = next(iter(standards), "") if len(standards) == 1 else ""
    standard = standards.get(journey or only)
    stages = standard.graph.stages if standard else ()
    return [(stage.key, stage.name) for stage in stages if stage.touchpoints]


def _tabs(found: Mapping[int, Status]) -> list[tuple[str, str, int]]:
    numbers = Counter(found.values())
    return [
        (key, label, sum(numbers[state] for state in states))
        for key, (label, states) in TABS.items()
    ]


def _light(trust: Trust | None) -> str:
    return UNSEEN if trust is None else str(trust.light)


def _stage(standard: VersionOut | None, touchpoint: str) -> str:
    """The name of the stage that holds a touchpoint, empty when the standard has none."""
    stage = standard.graph.stage_of(touchpoint) if standard else None
    return stage.name if stage else ""


def _point(standard: VersionOut | None, touchpoint: str) -> str:
    """What the standard calls a touchpoint; its key when the standard has none."""
    point = standard.graph.touchpoint(touchpoint) if standard else None
    return point.name if point else words(touchpoint)
