"""The health of an experiment over time: tables, and plots of the same numbers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from experiments.analysis.quality import ALARM_LOG_E
from experiments.analysis.schemas import Readout, RunOut, Trust
from experiments.analysis.trust import MAX_CONTAMINATED
from experiments.deferred import Deferred
from experiments.formats import count, percent, plural, score
from web.experiment_tables import known_number
from web.plots import Drawn, Plot, Theme, colour, level, rows, time_axis
from web.tables import Cell, Column, Kind, Table

if TYPE_CHECKING:
    import altair as alt
else:
    alt = Deferred("altair")

COUNT, NUMBER = Kind.COUNT, Kind.NUMBER
FEWEST_POINTS = 2


def checks(trust: Trust, readout: Readout) -> Table:
    """Every health check with its figure."""
    return Table(
        key="checks",
        title="Health checks",
        about="The light is the worst of them.",
        columns=(
            Column(key="check", label="Check"),
            Column(key="figure", label="Figure", kind=NUMBER),
            Column(key="threshold", label="Threshold", kind=NUMBER),
            Column(key="unit", label="Unit"),
            Column(key="verdict", label="Verdict"),
            Column(key="words", label="In words"),
        ),
        rows=[
            (
                item.check,
                known_number(item.figure),
                item.threshold,
                str(item.unit),
                str(item.verdict),
                item.words,
            )
            for item in trust.checks
        ],
        as_of=readout.as_of,
    )


def exposures(readout: Readout, *, called: Mapping[str, str]) -> Table:
    """Visitors first exposed per day, a column per arm."""
    arms = [arm.variant for arm in readout.primary.arms]
    days: dict[object, dict[str, int]] = defaultdict(dict)
    for row in readout.quality.exposures:
        days[row.day.isoformat()][row.variant] = row.visitors
    return Table(
        key="exposures",
        title="Exposures per day and arm",
        about="Visitors by the day (UTC) of their first exposure, each once.",
        columns=(
            Column(key="day", label="Day", kind=Kind.DAY),
            *(Column(key=arm, label=called[arm], kind=COUNT) for arm in arms),
        ),
        rows=[(str(day), *(counted.get(arm, 0) for arm in arms)) for day, counted in days.items()],
        as_of=readout.as_of,
    )


def exposures_plot(header: Sequence[str], table_rows: Sequence[tuple[Cell, ...]]) -> Plot | None:
    """Visitors first exposed per day and arm."""
    if len(table_rows) < FEWEST_POINTS:
        return None
    names = list(header)
    points: list[dict[str, Any]] = [
        {"at": str(row[0]), "name": name, "visitors": number}
        for row in table_rows
        for name, number in zip(names, row[1:], strict=True)
    ]

    def draw(theme: Theme) -> Drawn:
        base = rows(points).encode(x=time_axis(theme), color=colour(names, theme))
        y = alt.Y("visitors:Q", axis=alt.Axis(title="Visitors a day", tickCount=5, format="d"))
        return alt.layer(base.mark_line(strokeWidth=2, point=True).encode(y=y))

    total = sum(point["visitors"] for point in points)
    return Plot(
        key="exposures",
        title="New visitors per day and arm",
        told=f"{plural(round(total), 'visitor')} over {plural(len(table_rows), 'day')}.",
        caption="By the day (UTC) of the first exposure, each visitor once.",
        table="exposures",
        draw=draw,
    )


def split(runs: Sequence[RunOut], *, called: Mapping[str, str]) -> Table:
    """The sample ratio over time: visitors as they came and as they were planned."""
    arms = list(runs[-1].readout.quality.sample_ratio.observed) if runs else []
    return Table(
        key="split",
        title="The split, day by day",
        about="Visitors so far beside the number that the plan expects, and the evidence against.",
        columns=(
            Column(key="at", label="As of", kind=Kind.MOMENT),
            *(
                Column(key=f"{arm}{end}", label=f"{called[arm]}{end}", kind=COUNT)
                for arm in arms
                for end in ("", " planned")
            ),
            Column(key="log_e", label="log e-value", kind=NUMBER),
        ),
        rows=[(run.as_of, *_counted(run.readout, arms), _log_e(run.readout)) for run in runs],
        as_of=runs[-1].as_of if runs else None,
    )


def split_plot(runs: Sequence[RunOut], *, called: Mapping[str, str]) -> Plot | None:
    """The evidence against the planned split, below the line at which an alarm is raised."""
    points: list[dict[str, Any]] = [
        {"at": run.as_of.isoformat(), "log_e": found}
        for run in runs
        if (found := _log_e(run.readout)) is not None
    ]
    if len(points) < FEWEST_POINTS:
        return None
    top = max(ALARM_LOG_E * 1.3, *(point["log_e"] for point in points))
    bottom = min(-ALARM_LOG_E, *(point["log_e"] for point in points))

    def draw(theme: Theme) -> Drawn:
        axis = alt.Axis(title="log e-value", tickCount=5)
        y = alt.Y("log_e:Q", scale=alt.Scale(domain=[bottom, top], nice=False), axis=axis)
        return _watched(points, theme, y=y, limit=ALARM_LOG_E)

    seen = runs[-1].readout.quality.sample_ratio.observed
    counted = ", ".join(f"{called[arm]} {count(number)}" for arm, number in seen.items())
    return Plot(
        key="split",
        title="Evidence against the planned split",
        told=f"The last value is {score(float(points[-1]['log_e']))}; an alarm is raised above "
        f"{score(ALARM_LOG_E)}. Visitors: {counted}.",
        caption="An e-value that may be looked at as often as one likes; the line is the alarm.",
        table="split",
        draw=draw,
    )


def contaminated(runs: Sequence[RunOut]) -> Table:
    """Visitors who were seen in two arms, over time."""
    return Table(
        key="contaminated",
        title="Seen in two arms, day by day",
        about="They count in the arm that they were assigned to first.",
        columns=(
            Column(key="at", label="As of", kind=Kind.MOMENT),
            Column(key="contaminated", label="Visitors in two arms", kind=COUNT),
            Column(key="contaminated_share", label="Share of all visitors", kind=Kind.SHARE),
        ),
        rows=[
            (
                run.as_of,
                run.readout.quality.contaminated,
                known_number(run.readout.quality.contaminated_share),
            )
            for run in runs
        ],
        as_of=runs[-1].as_of if runs else None,
    )


def contaminated_plot(runs: Sequence[RunOut]) -> Plot | None:
    """The share of visitors who were seen in two arms."""
    points: list[dict[str, Any]] = [
        {"at": run.as_of.isoformat(), "share": found}
        for run in runs
        if isinstance(found := run.readout.quality.contaminated_share, float)
    ]
    if len(points) < FEWEST_POINTS:
        return None
    top = max(MAX_CONTAMINATED * 1.5, *(point["share"] * 1.1 for point in points))

    def draw(theme: Theme) -> Drawn:
        axis = alt.Axis(title="Seen in two arms", format=".1%", tickCount=5)
        y = alt.Y("share:Q", scale=alt.Scale(domain=[0, top], nice=False), axis=axis)
        return _watched(points, theme, y=y, limit=MAX_CONTAMINATED)

    return Plot(
        key="contaminated",
        title="Visitors seen in two arms",
        told=f"{percent(points[-1]['share'])} at the last look; "
        f"from {percent(MAX_CONTAMINATED)} on nothing is promoted.",
        caption="They count in the arm that they were assigned to first; the line is the limit.",
        table="contaminated",
        draw=draw,
    )


def _watched(points: list[dict[str, Any]], theme: Theme, *, y: alt.Y, limit: float) -> Drawn:
    """A figure over time, with the limit that it should stay below."""
    line = rows(points).mark_line(strokeWidth=2.5, color=theme.series[0])
    return alt.layer(level(limit, theme, colour=theme.bad), line.encode(x=time_axis(theme), y=y))


def _log_e(readout: Readout) -> float | None:
    """The evidence against the planned split at one look, once anybody was exposed."""
    found = readout.quality.sample_ratio.log_e_value
    return found if isinstance(found, float) and readout.quality.sample_ratio.observed else None


def _counted(readout: Readout, arms: Sequence[str]) -> tuple[Cell, ...]:
    ratio = readout.quality.sample_ratio
    pairs = ((ratio.observed.get(arm, 0), ratio.expected.get(arm, 0.0)) for arm in arms)
    return tuple(number for pair in pairs for number in pair)
