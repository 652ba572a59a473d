"""Plots as images: Altair specifications drawn by vl-convert, once for light and once for dark.

A page names its plots and stays quick; the browser asks for the images it needs and keeps them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias

from experiments.deferred import Deferred

if TYPE_CHECKING:
    import altair as alt
    import vl_convert
else:
    alt = Deferred("altair")
    vl_convert = Deferred("vl_convert")

WIDTH, NARROW, HEIGHT = 860, 260, 240
FONT = "sans-serif"
Drawn: TypeAlias = "alt.LayerChart | alt.FacetChart"


@dataclass(frozen=True, slots=True, kw_only=True)
class Theme:
    """Colours on a page; `series` are told apart by people who see few colours, too."""

    ink: str
    soft: str
    line: str
    strong: str
    neutral: str
    bad: str
    series: tuple[str, ...]
    is_narrow: bool = False


THEMES = {
    "light": Theme(
        ink="#1a1d1b",
        soft="#575c58",
        line="#e4e4de",
        strong="#8a8a80",
        neutral="#75796f",
        bad="#a5281d",
        series=("#0b6b57", "#b4551d", "#5746af", "#8a6200"),
    ),
    "dark": Theme(
        ink="#ecefec",
        soft="#a7aea8",
        line="#2d322e",
        strong="#7d857e",
        neutral="#8d938b",
        bad="#f3968a",
        series=("#6cc9ae", "#f0a070", "#b3a6ff", "#e0c25a"),
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """A picture with the words that stand for it; the table `table` has the same numbers."""

    key: str
    title: str
    told: str
    caption: str
    table: str
    height: int = HEIGHT
    draw: Callable[[Theme], Drawn] = field(repr=False)


def svg(plot: Plot, theme: str, *, is_narrow: bool = False) -> str:
    """The picture in one of the themes, as wide as a page or as a phone."""
    colours = replace(THEMES[theme], is_narrow=is_narrow)
    chart = _dressed(plot.draw(colours), colours, height=plot.height)
    return _drawn(chart.to_json(validate=False, indent=None))


def colour(names: list[str], theme: Theme) -> alt.Color:
    """A colour for each name, with a legend when there are several."""
    palette = [theme.series[place % len(theme.series)] for place in range(len(names))]
    legend = (
        alt.Legend(title=None, orient="top", symbolType="stroke", symbolOpacity=1)
        if len(names) > 1
        else None
    )
    return alt.Color("name:N", scale=alt.Scale(domain=names, range=palette), legend=legend)


def rows(values: list[dict[str, Any]]) -> alt.Chart:
    """A chart over these rows."""
    return alt.Chart(alt.InlineData(values=values))


def time_axis(theme: Theme) -> alt.X:
    """Days along the lower edge."""
    ticks = 4 if theme.is_narrow else 8
    axis = alt.Axis(
        title=None,
        format="%-d %b",
        grid=False,
        tickCount=ticks,
        labelOverlap=True,
        labelSeparation=10,
    )
    return alt.X("at:T", scale=alt.Scale(type="utc"), axis=axis)


def level(value: float, theme: Theme, *, colour: str = "") -> alt.Chart:
    """A dashed line across the picture."""
    drawn: alt.Chart = (
        rows([{"level": value}])
        .mark_rule(color=colour or theme.strong, strokeDash=[4, 3])
        .encode(y="level:Q")
    )
    return drawn


@lru_cache(maxsize=256)
def _drawn(specification: str) -> str:
    return vl_convert.vegalite_to_svg(specification)


def _dressed(chart: Drawn, theme: Theme, *, height: int) -> Drawn:
    dressed: Drawn = (
        chart.properties(
            background="transparent",
            width=NARROW if theme.is_narrow else WIDTH,
            height=height,
        )
        .configure(font=FONT)
        .configure_view(stroke=None)
        .configure_axis(
            labelColor=theme.soft,
            titleColor=theme.soft,
            titleFontWeight="normal",
            gridColor=theme.line,
            domainColor=theme.line,
            tickColor=theme.line,
            labelFontSize=12,
            titleFontSize=12,
            labelPadding=6,
        )
        .configure_legend(labelColor=theme.ink, labelFontSize=12, symbolStrokeWidth=3)
    )
    return dressed
