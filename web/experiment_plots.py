"""The plots of an experiment: each with its words, and a table with the same numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from experiments.analysis.schemas import Estimate, RunOut, SequentialTest
from experiments.deferred import Deferred
from experiments.design.plans import Plan
from experiments.design.power import Forecast
from experiments.formats import date, lift, percent, score
from web.experiment_marks import Mark
from web.plots import Drawn, Plot, Theme, colour, level, rows, time_axis
from web.tables import Cell

if TYPE_CHECKING:
    import altair as alt
else:
    alt = Deferred("altair")

FEWEST_POINTS = 2
LABEL_STEP, LABEL_LINES = 15, 3
SIGNED = "datum.value == 0 ? '0%' : format(datum.value, '+.0%')"


def effect(
    runs: Sequence[RunOut], marks: Sequence[Mark], *, called: Mapping[str, str]
) -> Plot | None:
    """The relative effect on the primary metric, with the range that holds at every look."""
    points: list[dict[str, Any]] = [
        {"at": run.as_of.isoformat(), "name": called[item.variant], **_range(item.effect_rel)}
        for run in runs
        for item in run.readout.primary.comparisons
        if isinstance(item.effect_rel, Estimate)
    ]
    if len(points) < FEWEST_POINTS:
        return None
    names = [called[item.variant] for item in runs[-1].readout.primary.comparisons]
    reach = _reach([point["value"] for point in points], [point["high"] for point in points[-3:]])

    def draw(theme: Theme) -> Drawn:
        scale = alt.Scale(domain=[-reach, reach], nice=False)
        axis = alt.Axis(title="Relative effect", labelExpr=SIGNED, tickCount=5)
        base = rows(points).encode(x=time_axis(theme), color=colour(names, theme))
        return alt.layer(
            level(0, theme),
            base.mark_area(opacity=0.16, clip=True).encode(
                y=alt.Y("low:Q", scale=scale, axis=axis), y2="high:Q"
            ),
            base.mark_line(strokeWidth=2.5, clip=True).encode(y=alt.Y("value:Q", scale=scale)),
            *_noted(marks, theme),
        )

    primary = runs[-1].readout.primary
    said = "; ".join(
        f"{called[item.variant]} {lift(item.effect_rel.value)}, from {lift(item.effect_rel.ci_low)}"
        f" to {lift(item.effect_rel.ci_high)}"
        for item in primary.comparisons
        if isinstance(item.effect_rel, Estimate)
    )
    return Plot(
        key="effect",
        title=f"Effect on {primary.name} so far",
        told=f"Relative effect on {primary.name} by day. On {date(runs[-1].as_of)}: {said}.",
        caption="Of all matured visitors up to each day, with the range that holds at every look, "
        "cut off where it reaches beyond the axis.",
        table="effect",
        draw=draw,
    )


def evidence(runs: Sequence[RunOut], *, called: Mapping[str, str]) -> Plot | None:
    """The test statistic of the primary metric under the bound that it must reach."""
    points: list[dict[str, Any]] = [
        {
            "at": run.as_of.isoformat(),
            "name": called[item.variant],
            "z": item.test.z,
            "bound": item.test.bound if isinstance(item.test.bound, float) else None,
        }
        for run in runs
        for item in run.readout.primary.comparisons
        if isinstance(item.test, SequentialTest)
    ]
    if len(points) < FEWEST_POINTS:
        return None
    names = [called[item.variant] for item in runs[-1].readout.primary.comparisons]
    last = points[-1]

    def draw(theme: Theme) -> Drawn:
        scale = alt.Scale(domain=[-4, 8], nice=False)
        axis = alt.Axis(title="z", tickCount=6)
        base = rows(points).encode(x=time_axis(theme))
        return alt.layer(
            level(0, theme),
            base.mark_line(strokeDash=[5, 4], strokeWidth=1.5, color=theme.ink, clip=True).encode(
                y=alt.Y("bound:Q", scale=scale, axis=axis), detail="name:N"
            ),
            base.mark_line(strokeWidth=2.5, clip=True).encode(
                y=alt.Y("z:Q", scale=scale), color=colour(names, theme)
            ),
        )

    bound = score(last["bound"]) if last["bound"] is not None else "not open yet"
    return Plot(
        key="evidence",
        title="Evidence and what it must reach",
        told=f"Last look at {last['name']}: z is {score(last['z'])}, the bound is {bound}.",
        caption="Dashed: the bound of each look, high at first because it is looked at so often.",
        table="effect",
        draw=draw,
    )


def stages(table_rows: Sequence[tuple[Cell, ...]], *, called: Mapping[str, str]) -> Plot | None:
    """The relative effect on reaching every later stage, in the order of the journey."""
    points: list[dict[str, Any]] = [
        {
            "stage": str(row[1]),
            "name": called[str(row[2])],
            "value": row[5],
            "low": row[6],
            "high": row[7],
        }
        for row in table_rows
        if row[5] is not None
    ]
    if not points:
        return None
    names = list(dict.fromkeys(str(point["name"]) for point in points))
    order = list(dict.fromkeys(str(row[1]) for row in table_rows))
    reach = _reach([point["value"] for point in points], [])

    def draw(theme: Theme) -> Drawn:
        scale = alt.Scale(domain=[-reach, reach], nice=False)
        axis = alt.Axis(title="Relative effect", labelExpr=SIGNED, tickCount=5)
        x = alt.X(
            "stage:N",
            scale=alt.Scale(domain=order),
            axis=alt.Axis(title=None, labelAngle=-40 if theme.is_narrow else 0, labelLimit=120),
        )
        base = rows(points).encode(x=x, xOffset=alt.XOffset("name:N"), color=colour(names, theme))
        return alt.layer(
            level(0, theme),
            base.mark_rule(strokeWidth=6, opacity=0.3, clip=True).encode(
                y=alt.Y("low:Q", scale=scale, axis=axis), y2="high:Q"
            ),
            base.mark_circle(size=80, opacity=1, clip=True).encode(y=alt.Y("value:Q", scale=scale)),
        )

    said = "; ".join(
        f"{point['stage']}, {point['name']}: {lift(point['value'])}" for point in points
    )
    return Plot(
        key="stages",
        title="From the change to the end of the journey",
        told=f"Relative effect on reaching each later stage. {said}.",
        caption="Of everybody randomised, not of those who reached the stage before. "
        "Each range is of its stage alone, and cut off where it reaches beyond the axis.",
        table="stages",
        draw=draw,
    )


def power(forecast: Forecast, plan: Plan) -> Plot:
    """The chance to find an effect by its size, and the chance that is wanted."""
    points: list[dict[str, Any]] = [point.model_dump() for point in forecast.curve]

    def draw(theme: Theme) -> Drawn:
        x = alt.X(
            "lift:Q",
            axis=alt.Axis(
                title="True relative effect",
                labelExpr=SIGNED,
                grid=False,
                tickCount=4 if theme.is_narrow else 8,
            ),
        )
        axis = alt.Axis(title="Chance to find it", format=".0%", tickCount=5)
        y = alt.Y("power:Q", scale=alt.Scale(domain=[0, 1]), axis=axis)
        worth = rows([{"lift": plan.minimum_lift}]).mark_rule(color=theme.strong, strokeDash=[2, 3])
        return alt.layer(
            level(plan.power, theme),
            worth.encode(x="lift:Q"),
            rows(points)
            .mark_line(
                strokeWidth=2.5,
                point={"color": theme.series[0]},
                color=theme.series[0],
                interpolate="monotone",
            )
            .encode(x=x, y=y),
        )

    return Plot(
        key="power",
        title="Chance to find an effect, by its size",
        told=f"A change of {lift(plan.minimum_lift)} is found with a chance of "
        f"{percent(forecast.power)}; {percent(plan.power)} are wanted.",
        caption="Dashed: the smallest change worth finding, and the chance that is wanted.",
        table="power",
        draw=draw,
    )


def _noted(noted: Sequence[Mark], theme: Theme) -> Iterator[alt.Chart]:
    """Each at its time; labels of neighbours stand on different lines."""
    for place, mark in enumerate(noted):
        base = rows([{"at": mark.at.isoformat(), "label": mark.label}]).encode(x=time_axis(theme))
        yield base.mark_rule(color=theme.strong, strokeDash=[2, 3])
        yield base.mark_text(align="right", dx=-5, color=theme.soft, fontSize=12).encode(
            text="label:N", y=alt.value(8 + LABEL_STEP * (place % LABEL_LINES))
        )


def _range(estimate: Estimate) -> dict[str, float]:
    return {"value": estimate.value, "low": estimate.ci_low, "high": estimate.ci_high}


def _reach(values: Sequence[float], ends: Sequence[float]) -> float:
    """The ends of the axis: the first ranges are so wide that they would flatten the rest."""
    largest = max(abs(value) for value in (*values, *ends))
    return min(max(largest * 1.5, 0.05), 1.5)
