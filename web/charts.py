"""Charts as SVG inside the page: Altair specifications drawn by vl-convert, coloured by the CSS.

Colours are CSS variables, so that one drawing serves light and dark. The drawing carries only
presentation attributes, which a strict content security policy permits.
"""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from markupsafe import Markup, escape

from experiments.deferred import Deferred
from experiments.formats import count, lift, plural

if TYPE_CHECKING:
    import altair as alt
    import vl_convert
else:
    alt = Deferred("altair")
    vl_convert = Deferred("vl_convert")

INK, SOFT, LINE, ACCENT = "var(--ink)", "var(--ink-soft)", "var(--line)", "var(--accent)"
SURFACE, STRONG = "var(--surface)", "var(--line-strong)"
FONT = "sans-serif"
PATH_WIDTH = 940
NARROWEST_STAGE = 100
PATH_HEIGHT = 84
UPRIGHT_WIDTH, UPRIGHT_STAGE, BESIDE_PATH = 300, 76, 118
ROW_HEIGHT = 30
INTERVAL_WIDTH = 430
LABEL_WIDTH = 250
WIDEST_LIFT = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """A stage on the path: how many walked there, how many tests run there, how they went on."""

    name: str
    visitors: int
    tests: int = 0
    onward: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """One relative effect with its interval; decided when that excludes no difference."""

    label: str
    low: float
    value: float
    high: float
    decided: bool = False


@lru_cache(maxsize=256)
def path(stops: tuple[Stop, ...]) -> Markup:
    """The journey as a path that is worn wider where more visitors walked.

    Drawn from left to right for a page and from top to bottom for a phone; the CSS shows one.
    """
    widest = max((stop.visitors for stop in stops), default=0) or 1
    rows = [_stop_row(index, stop, widest) for index, stop in enumerate(stops)]
    numbers = {"datasets": {"stops": rows, "between": rows[:-1]}}
    said = ", ".join(f"{stop.name}: {count(stop.visitors)}" for stop in stops)
    title = "Visitors at each stage of the journey"
    return Markup('<div class="path">{}<div class="upright">{}</div></div>').format(
        _drawn({**_path(len(stops)), **numbers}, title, said),
        _drawn({**_upright(len(stops)), **numbers}, title, said),
    )


@lru_cache
def _path(stages: int) -> dict[str, Any]:
    """The picture of a path without its numbers: putting it together takes the most time."""
    scale = alt.Scale(domain=[-0.5, stages - 0.5], nice=False)
    base = alt.Chart(alt.NamedData(name="stops")).encode(x=alt.X("x:Q", axis=None, scale=scale))
    between = alt.Chart(alt.NamedData(name="between")).encode(
        x=alt.X("next:Q", axis=None, scale=scale)
    )
    bold = {"fontWeight": 600}
    layers = (
        base.mark_area(interpolate="monotone", color=ACCENT, opacity=0.24).encode(
            y=_height("top"), y2="bottom:Q"
        ),
        base.mark_circle(size=46, color=ACCENT, opacity=1).encode(y=_height("middle")),
        _words(base, "visitors", offset=-PATH_HEIGHT / 2 - 14, color=INK, fontSize=13, **bold),
        _words(base, "name", offset=PATH_HEIGHT / 2 + 12, color=SOFT, fontSize=13),
        _words(between, "onward", offset=-PATH_HEIGHT / 2 - 14, color=SOFT, fontSize=11),
        _words(base, "tests", offset=-PATH_HEIGHT / 2 - 34, color=ACCENT, fontSize=11, **bold),
    )
    chart = alt.layer(*layers).properties(
        width=max(PATH_WIDTH, NARROWEST_STAGE * stages), height=PATH_HEIGHT
    )
    return _framed(chart, top=46)


@lru_cache
def _upright(stages: int) -> dict[str, Any]:
    """The picture of a path from top to bottom, with the words beside it."""
    scale = alt.Scale(domain=[stages - 0.5, -0.5], nice=False)
    across = alt.Scale(domain=[-1, 1], range=[0, BESIDE_PATH - 18], nice=False)
    base = alt.Chart(alt.NamedData(name="stops")).encode(y=alt.Y("x:Q", axis=None, scale=scale))
    between = alt.Chart(alt.NamedData(name="between")).encode(
        y=alt.Y("next:Q", axis=None, scale=scale)
    )
    layers = (
        base.mark_area(
            orient="horizontal", interpolate="monotone", color=ACCENT, opacity=0.24
        ).encode(x=alt.X("top:Q", axis=None, scale=across), x2="bottom:Q"),
        base.mark_circle(size=46, color=ACCENT, opacity=1).encode(
            x=alt.X("middle:Q", axis=None, scale=across)
        ),
        _at_side(base, "line", dy=-9, color=INK, fontSize=14, fontWeight=600),
        _at_side(base, "walked", dy=9, color=SOFT, fontSize=13),
        _at_side(between, "down", dy=0, color=SOFT, fontSize=12),
    )
    chart = alt.layer(*layers).properties(width=UPRIGHT_WIDTH, height=UPRIGHT_STAGE * stages)
    return _framed(chart)


@lru_cache(maxsize=256)
def intervals(rows: tuple[Interval, ...], title: str) -> Markup:
    """Relative effects on one common axis, one row each, around the line of no difference."""
    data = [_interval_row(index, row) for index, row in enumerate(rows)]
    reach = max((max(abs(row.low), abs(row.high)) for row in rows), default=0.1)
    domain = [-min(reach, WIDEST_LIFT) * 1.08, min(reach, WIDEST_LIFT) * 1.08]
    base = alt.Chart(alt.InlineData(values=data)).encode(
        y=alt.Y("place:O", axis=None, scale=alt.Scale(paddingInner=0.2))
    )
    x = alt.X("low:Q", scale=alt.Scale(domain=domain, nice=False), axis=_lift_axis())
    colour = alt.Color("colour:N", scale=None)
    zero = alt.Chart(alt.InlineData(values=[{"zero": 0}])).mark_rule(
        color=STRONG, strokeDash=[3, 3]
    )
    layers = (
        zero.encode(x="zero:Q"),
        base.mark_rule(strokeWidth=5, opacity=0.35, clip=True, strokeCap="round").encode(
            x=x, x2="high:Q", color=colour
        ),
        base.mark_circle(size=70, opacity=1, clip=True).encode(x="value:Q", color=colour),
        _beside(base, "label", x=-LABEL_WIDTH),
    )
    height = ROW_HEIGHT * len(rows)
    chart = alt.layer(*layers).properties(width=INTERVAL_WIDTH, height=height)
    return _drawn(_framed(chart, left=LABEL_WIDTH), title, "; ".join(_told(row) for row in rows))


def _stop_row(index: int, stop: Stop, widest: int) -> dict[str, Any]:
    # Nobody walking still leaves a hairline: the path is there, it is only not worn.
    half = max(stop.visitors / widest, 0.02)
    tests = f"{stop.tests} in test" if stop.tests else ""
    return {
        "x": index,
        "next": index + 0.5,
        "top": half,
        "bottom": -half,
        "middle": 0,
        "name": "\n".join(textwrap.wrap(stop.name, 15)),
        "visitors": count(stop.visitors),
        "onward": stop.onward,
        "tests": tests,
        "line": stop.name,
        "walked": f"{plural(stop.visitors, 'visitor')}{' · ' if tests else ''}{tests}",
        "down": stop.onward.replace("\u2192", "\u2193").replace("\n", " "),
    }


def _interval_row(index: int, row: Interval) -> dict[str, Any]:
    return {
        "place": index,
        "label": row.label,
        "low": row.low,
        "value": row.value,
        "high": row.high,
        "colour": ACCENT if row.decided else "var(--neutral)",
    }


def _told(row: Interval) -> str:
    return f"{row.label}: {lift(row.value)}, from {lift(row.low)} to {lift(row.high)}"


def _words(base: alt.Chart, field: str, *, offset: float, **style: Any) -> alt.Chart:
    text = base.mark_text(dy=offset, lineBreak="\n", baseline="middle", **style)
    drawn: alt.Chart = text.encode(y=_height("middle"), text=f"{field}:N")
    return drawn


def _at_side(base: alt.Chart, field: str, *, dy: float, **style: Any) -> alt.Chart:
    text = base.mark_text(
        align="left", baseline="middle", dy=dy, limit=UPRIGHT_WIDTH - BESIDE_PATH, **style
    )
    drawn: alt.Chart = text.encode(x=alt.value(BESIDE_PATH), text=f"{field}:N")
    return drawn


def _height(field: str) -> alt.Y:
    return alt.Y(f"{field}:Q", axis=None, scale=alt.Scale(domain=[-1, 1], nice=False))


def _beside(base: alt.Chart, field: str, *, x: float) -> alt.Chart:
    text = base.mark_text(
        align="left", baseline="middle", fontSize=12, color=INK, limit=LABEL_WIDTH
    )
    drawn: alt.Chart = text.encode(x=alt.value(x), text=f"{field}:N")
    return drawn


def _lift_axis() -> alt.Axis:
    return alt.Axis(
        title=None,
        labelExpr="datum.value == 0 ? '0%' : format(datum.value, '+.0%')",
        tickCount=6,
        gridColor=LINE,
        domain=False,
        ticks=False,
        labelColor=SOFT,
        labelFontSize=11,
        labelPadding=6,
    )


def _framed(
    chart: alt.LayerChart | alt.FacetChart, *, left: int = 0, top: int = 4
) -> dict[str, Any]:
    framed = (
        chart.properties(
            background="transparent",
            autosize="none",
            padding={"left": left + 4, "right": 12, "top": top, "bottom": 34},
        )
        .configure(font=FONT)
        .configure_view(stroke=None)
    )
    specification: dict[str, Any] = framed.to_dict(validate=False)
    return specification


def _drawn(specification: dict[str, Any], title: str, description: str) -> Markup:
    svg = vl_convert.vegalite_to_svg(specification)
    head, _, body = svg.partition(">")
    view_box = head[head.index("viewBox") :].split('"')[1]
    opening = Markup('<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="{}">').format(
        view_box
    )
    words = Markup("<title>{}</title><desc>{}</desc>").format(escape(title), escape(description))
    return opening + words + Markup(body)  # noqa: S704 (drawn by vl-convert, which escapes text)
