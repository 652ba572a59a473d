"""What is different between two reports, and why the same week is counted differently later."""

from collections.abc import Iterable

from pydantic import Field

from experiments.reports.schemas import Body, FunnelStage, Judgement
from experiments.shapes import Out


class StageShift(Out):
    """Visitors of one stage in the weeks of two reports."""

    journey: str
    stage: str
    earlier: int
    later: int


class Recount(Out):
    """Visitors of the earlier week at one stage: as reported then, and as counted later."""

    journey: str
    stage: str
    reported: int
    counted: int


class Comparison(Out):
    """How a later report differs from an earlier one.

    Attributes:
        earlier: the ISO week of the earlier report.
        later: the ISO week of the later one.
        versions: journeys whose standard changed, with the reason.
        decided: what waited in the earlier report and is decided in the later one.
        began: tests that are under way in the later report only.
        still: how many wait in both.
        taken_back: promotions that were taken back in between.
        stages: visitors per stage in both weeks.
        recounts: stages of the earlier week that late events made larger, or merged ids smaller.
    """

    earlier: str
    later: str
    versions: list[str] = Field(default_factory=list)
    decided: list[str] = Field(default_factory=list)
    began: list[str] = Field(default_factory=list)
    still: int = 0
    taken_back: list[str] = Field(default_factory=list)
    stages: list[StageShift] = Field(default_factory=list)
    recounts: list[Recount] = Field(default_factory=list)


def compare(earlier: Body, later: Body) -> Comparison:
    """Hold one report against an earlier one; pure, so that the same pair always tells the same."""
    waited = {item.experiment for item in earlier.waiting}
    waits = {item.experiment: item.name for item in later.waiting}
    return Comparison(
        earlier=earlier.week,
        later=later.week,
        versions=[f"{item.name}, version {item.version}: {item.reason}" for item in later.changes],
        decided=[
            f"{item.name}: {item.sentence}"
            for item in judged(later)
            if item.experiment in waited and item.experiment not in waits
        ],
        began=[name for key, name in waits.items() if key not in waited],
        still=len(waited & waits.keys()),
        taken_back=[f"{item.name}, variant {item.variant}" for item in later.taken_back],
        stages=list(_stages(earlier, later)),
        recounts=list(_recounts(earlier, later)),
    )


def judged(body: Body) -> list[Judgement]:
    """Every decision that a report tells."""
    return [*body.promoted, *body.harmful, *body.nothing_to_conclude]


def _stages(earlier: Body, later: Body) -> Iterable[StageShift]:
    for journey, before, after in _pairs(earlier, later):
        yield StageShift(
            journey=journey, stage=after.name, earlier=before.visitors, later=after.visitors
        )


def _recounts(earlier: Body, later: Body) -> Iterable[Recount]:
    # The later report counts the week before its own; that is the earlier's only if they meet.
    if earlier.until != later.since or earlier.as_of < earlier.until:
        return
    for journey, before, after in _pairs(earlier, later):
        if before.visitors != after.before:
            yield Recount(
                journey=journey,
                stage=after.name,
                reported=before.visitors,
                counted=after.before,
            )


def _pairs(earlier: Body, later: Body) -> Iterable[tuple[str, FunnelStage, FunnelStage]]:
    """The stages that both reports know, by their keys."""
    known = {
        (funnel.journey, stage.key): stage for funnel in earlier.funnels for stage in funnel.stages
    }
    for funnel in later.funnels:
        for stage in funnel.stages:
            before = known.get((funnel.journey, stage.key))
            if before is not None:
                yield funnel.name, before, stage
