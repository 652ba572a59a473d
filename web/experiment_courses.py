"""Time to convert, and the effect by group of visitors: tables, and plots of the same numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from experiments.analysis.schemas import Estimate
from experiments.deferred import Deferred
from experiments.descriptions.schemas import DescriptionOut, Segmentation
from experiments.formats import figure, percent, points, span, words
from experiments.metrics.schemas import MetricKind
from web.experiment_tables import effect_cells, known_number
from web.plots import Drawn, Plot, Theme, colour, rows
from web.tables import SECONDS_PER_HOUR, Cell, Column, Kind, Table

if TYPE_CHECKING:
    import altair as alt
else:
    alt = Deferred("altair")

SHARE, COUNT = Kind.SHARE, Kind.COUNT
POINTS = "datum.value == 0 ? '0' : format(100 * datum.value, '+.3~g')"
AXIS_HEIGHT, ROW_HEIGHT = 20, 44
HOURS_PER_DAY, MOST_HOURS = 24, 96
"""A longer axis is written in days."""


def converted(described: DescriptionOut, *, called: Mapping[str, str]) -> Table:
    """The share of each arm that has converted by every hour after the exposure."""
    courses = described.time_to_convert.courses
    hours = described.time_to_convert.hours
    return Table(
        key="converted",
        title="Converted by the time after the exposure",
        about="Share of all visitors, also of those whose time is not over. Each range holds at "
        "its time alone.",
        columns=(
            Column(key="hours", label="Time since the exposure", kind=Kind.HOURS),
            *(
                Column(key=f"{arm.variant}{end}", label=label, kind=SHARE)
                for arm in courses
                for end, label in (("", called[arm.variant]), ("_low", "from"), ("_high", "to"))
            ),
        ),
        rows=[
            (
                hour,
                *(cell for arm in courses for cell in (arm.converted[n], arm.low[n], arm.high[n])),
            )
            for n, hour in enumerate(hours)
        ],
        as_of=described.as_of,
    )


def groups(described: DescriptionOut, kind: MetricKind) -> Table:
    """The effect on the primary metric, which is of that kind, by group of visitors."""
    is_rate = kind is MetricKind.CONVERSION
    share = Kind.SHARE if is_rate else Kind.NUMBER
    difference = Kind.POINTS if is_rate else Kind.NUMBER
    return Table(
        key="groups",
        title="By group of visitors",
        about="Exploratory: no decision rests on it. Of matured visitors, by what was known of "
        "them before the exposure; each range is of its group alone.",
        columns=(
            Column(key="attribute", label="Attribute"),
            Column(key="value", label="Group"),
            Column(key="variant", label="Variant", kind=Kind.ARM),
            Column(key="visitors", label="Visitors", kind=COUNT),
            Column(key="control", label="Control", kind=share),
            Column(key="figure", label="Variant's", kind=share),
            Column(key="effect_abs", label="Difference", kind=difference),
            Column(key="effect_abs_low", label="from", kind=difference),
            Column(key="effect_abs_high", label="to", kind=difference),
            Column(key="expected_abs", label="To be expected", kind=difference),
            Column(key="p_same_effect", label="p of no difference", kind=Kind.P_VALUE),
        ),
        rows=list(_group_rows(described.segments)),
        as_of=described.as_of,
    )


def _group_rows(segments: Sequence[Segmentation]) -> Iterator[tuple[Cell, ...]]:
    for item in segments:
        for group in item.groups:
            yield (
                *(item.attribute, group.value, item.variant, group.visitors),
                *(known_number(group.control), known_number(group.treatment)),
                *effect_cells(group.effect),
                known_number(group.expected),
                known_number(item.p_value),
            )


def converted_plot(described: DescriptionOut, *, called: Mapping[str, str]) -> Plot | None:
    """How the arms convert as time passes after the exposure."""
    courses, hours = described.time_to_convert.courses, described.time_to_convert.hours
    drawn: list[dict[str, Any]] = [
        {"hours": 0.0, "name": called[arm.variant], "value": 0.0, "low": 0.0, "high": 0.0}
        for arm in courses
    ]
    drawn += [
        {"hours": hour, "name": called[arm.variant], "value": value, "low": low, "high": high}
        for arm in courses
        for hour, value, low, high in zip(hours, arm.converted, arm.low, arm.high, strict=True)
        if value is not None
    ]
    if len(drawn) == len(courses):
        return None
    in_days = hours[-1] > MOST_HOURS
    for point in drawn:
        point["at"] = point["hours"] / HOURS_PER_DAY if in_days else point["hours"]

    def draw(theme: Theme) -> Drawn:
        title = f"{'Days' if in_days else 'Hours'} since the exposure"
        base = rows(drawn).encode(
            x=alt.X(
                "at:Q",
                scale=alt.Scale(domain=[0, drawn[-1]["at"]], nice=False),
                axis=alt.Axis(title=title, grid=False, tickCount=5 if theme.is_narrow else 10),
            ),
            color=colour([called[arm.variant] for arm in courses], theme),
        )
        axis = alt.Axis(title="Converted", format="~%", tickCount=5)
        return alt.layer(
            base.mark_area(opacity=0.16, interpolate="step-after").encode(
                y=alt.Y("low:Q", axis=axis), y2="high:Q"
            ),
            base.mark_line(strokeWidth=2.5, interpolate="step-after").encode(y="value:Q"),
        )

    return Plot(
        key="converted",
        title="How long visitors take",
        told="; ".join(_course_told(described, called)),
        caption="Share of all visitors who have converted by then, those with time left included. "
        "Each range holds at its time alone.",
        table="converted",
        draw=draw,
    )


def _course_told(described: DescriptionOut, called: Mapping[str, str]) -> Iterator[str]:
    for arm in described.time_to_convert.courses:
        known = [value for value in arm.converted if value is not None]
        said = f"{called[arm.variant]} {percent(known[-1])} at the end" if known else "nobody yet"
        if isinstance(arm.half_hours, float):
            said += f", half of them within {span(arm.half_hours * SECONDS_PER_HOUR)}"
        yield said


def group_plots(
    described: DescriptionOut, kind: MetricKind, *, called: Mapping[str, str]
) -> list[Plot]:
    """The effect by group, one picture per attribute and variant."""
    return [
        _group_plot(item, number, name=called[item.variant], is_rate=kind is MetricKind.CONVERSION)
        for number, item in enumerate(described.segments)
        if any(isinstance(group.effect, Estimate) for group in item.groups)
    ]


def _group_plot(item: Segmentation, number: int, *, name: str, is_rate: bool) -> Plot:
    drawn: list[dict[str, Any]] = [
        {
            "group": group.value,
            "value": group.effect.value,
            "low": group.effect.ci_low,
            "high": group.effect.ci_high,
            "expected": group.expected if isinstance(group.expected, float) else None,
        }
        for group in item.groups
        if isinstance(group.effect, Estimate)
    ]
    reach = max(abs(point[end]) for point in drawn for end in ("low", "high")) * 1.1

    def draw(theme: Theme) -> Drawn:
        scale = alt.Scale(domain=[-reach, reach], nice=False)
        base = rows(drawn).encode(
            y=alt.Y(
                "group:N",
                sort=None,
                axis=alt.Axis(title=None, labelLimit=110 if theme.is_narrow else 200),
            )
        )
        unit, shown = (", points", POINTS) if is_rate else ("", "format(datum.value, '+~g')")
        ticks = 4 if theme.is_narrow else 7
        axis = alt.Axis(
            title=f"Difference from the control{unit}", labelExpr=shown, tickCount=ticks
        )
        zero = rows([{"zero": 0}]).mark_rule(color=theme.strong, strokeDash=[4, 3])
        return alt.layer(
            zero.encode(x="zero:Q"),
            base.mark_rule(strokeWidth=6, opacity=0.3, color=theme.series[0]).encode(
                x=alt.X("low:Q", scale=scale, axis=axis), x2="high:Q"
            ),
            base.mark_circle(size=90, opacity=1, color=theme.series[0]).encode(
                x=alt.X("value:Q", scale=scale)
            ),
            base.mark_point(shape="diamond", size=70, opacity=1, color=theme.ink).encode(
                x=alt.X("expected:Q", scale=scale)
            ),
        )

    written = points if is_rate else figure
    said = "; ".join(f"{point['group']} {written(point['value'])}" for point in drawn)
    return Plot(
        key=f"groups-{number}",
        title=f"{name}, by {words(item.attribute)}",
        told=f"Difference from the control by {words(item.attribute)}: {said}.",
        caption="Dot and range: seen, each group alone. Diamond: to be expected, drawn to the mean "
        "of all groups by as much as chance explains how far they lie apart.",
        table="groups",
        height=AXIS_HEIGHT + ROW_HEIGHT * len(drawn),
        draw=draw,
    )
