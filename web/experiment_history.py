"""Tables of how an experiment went: the list, its looks over time, its phases, its log."""

from collections.abc import Mapping, Sequence

from experiments.analysis.schemas import (
    Readout,
    RunOut,
    Trust,
)
from experiments.audit.schemas import AuditOut
from experiments.descriptions.schemas import DescriptionOut
from experiments.design.listing import ExperimentLine
from experiments.design.schemas import ExperimentOut
from experiments.formats import share, who, words
from experiments.metrics.schemas import MetricKind
from web.experiment_tables import effect_cells, known_number, test_cells
from web.readings import Lead
from web.tables import Cell, Column, Kind, Table

TEXT, COUNT, NUMBER, LIFT = Kind.TEXT, Kind.COUNT, Kind.NUMBER, Kind.LIFT


def lines(
    shown: Sequence[ExperimentLine],
    stages: Mapping[int, str],
    trust: Mapping[int, Trust],
    leads: Mapping[int, Lead | None],
    sentences: Mapping[int, str],
) -> Table:
    """The list of experiments, a row each."""
    return Table(
        key="experiments",
        title="Experiments",
        about="The experiments of this page of the list.",
        columns=tuple(
            Column(key=key, label=key.replace("_", " "), kind=kind)
            for key, kind in (
                *((key, TEXT) for key in ("experiment", "name", "owner", "journey", "stage")),
                *((key, TEXT) for key in ("touchpoint", "state", "trust", "lead")),
                ("lead_expected", LIFT),
                ("started_at", Kind.MOMENT),
                ("in_words", TEXT),
            )
        ),
        rows=[
            (
                *(line.key, line.name, line.owner, line.journey, stages[line.id]),
                *(line.touchpoint, str(line.status)),
                str(trust[line.id].light) if line.id in trust else None,
                *_lead(leads.get(line.id)),
                line.started_at,
                sentences.get(line.id),
            )
            for line in shown
        ],
    )


def maturity(readout: Readout, described: DescriptionOut | None) -> Table:
    """The primary metric of matured visitors, of everybody so far, and as it is to be expected."""
    primary = readout.primary
    courses = described.time_to_convert.courses if described else []
    figure = Kind.SHARE if primary.kind is MetricKind.CONVERSION else NUMBER
    projected = {course.variant: course.projected for course in courses}
    return Table(
        key="maturity",
        title=f"{primary.name}: matured, so far, projected",
        about="Decisions use matured visitors only; the rest can still convert. Projected is the "
        "share once everybody has had their time, if the newest convert like those before them.",
        columns=(
            Column(key="variant", label="Variant", kind=Kind.ARM),
            Column(key="visitors", label="Visitors", kind=COUNT),
            Column(key="observed_conversions", label="Converted so far", kind=COUNT),
            Column(key="matured", label="Matured", kind=COUNT),
            Column(key="conversions", label="of them converted", kind=COUNT),
            Column(key="figure", label="Matured figure", kind=figure),
            Column(key="projected", label="Projected", kind=Kind.SHARE),
            Column(key="projected_low", label="from", kind=Kind.SHARE),
            Column(key="projected_high", label="to", kind=Kind.SHARE),
        ),
        rows=[
            (
                arm.variant,
                arm.visitors,
                known_number(arm.observed_conversions),
                arm.matured,
                known_number(arm.conversions),
                known_number(arm.figure),
                *effect_cells(projected.get(arm.variant)),
            )
            for arm in primary.arms
        ],
        as_of=readout.as_of,
    )


def effect(runs: Sequence[RunOut]) -> Table:
    """What the last look of each day said of the primary metric, a row per variant."""
    return Table(
        key="effect",
        title="Effect and evidence, day by day",
        about="The last look of each day, of all matured visitors up to it.",
        columns=(
            Column(key="at", label="As of", kind=Kind.MOMENT),
            Column(key="look", label="Look", kind=COUNT),
            Column(key="variant", label="Variant", kind=Kind.ARM),
            Column(key="effect_rel", label="Relative effect", kind=LIFT),
            Column(key="effect_rel_low", label="from", kind=LIFT),
            Column(key="effect_rel_high", label="to", kind=LIFT),
            Column(key="z", label="z", kind=NUMBER),
            Column(key="bound", label="Bound", kind=NUMBER),
            Column(key="passed", label="Passed"),
        ),
        rows=[
            (run.as_of, run.look, item.variant, *effect_cells(item.effect_rel), *test_cells(item))
            for run in runs
            for item in run.readout.primary.comparisons
        ],
        as_of=runs[-1].as_of if runs else None,
    )


def phases(experiment: ExperimentOut, *, called: Mapping[str, str]) -> Table:
    """The periods with one allocation each."""
    return Table(
        key="phases",
        title="Phases",
        about="Phases are analysed apart and combined, never pooled.",
        columns=(
            Column(key="phase", label="Phase"),
            Column(key="started_at", label="Since", kind=Kind.MOMENT),
            Column(key="coverage", label="Coverage", kind=Kind.SHARE),
            Column(key="shares", label="Shares"),
            Column(key="reason", label="Why"),
        ),
        rows=[
            (
                phase.number,
                phase.started_at,
                phase.coverage,
                ", ".join(
                    f"{called[arm]} {share(weight)}" for arm, weight in phase.weights.items()
                ),
                phase.reason or "the start",
            )
            for phase in experiment.phases
        ],
    )


def log(entries: list[AuditOut]) -> Table:
    """What was done with the experiment, the newest first."""
    return Table(
        key="log",
        title="Log",
        about="Every change with who made it and why.",
        columns=(
            Column(key="at", label="When", kind=Kind.MOMENT),
            Column(key="action", label="What"),
            Column(key="reason", label="Why"),
            Column(key="actor", label="Who"),
        ),
        rows=[(entry.at, words(entry.action), entry.reason, who(entry.actor)) for entry in entries],
    )


def _lead(lead: Lead | None) -> tuple[Cell, ...]:
    return (None, None) if lead is None else (lead.variant, lead.effect_rel)
