"""Funnels as pictures outside the pages: fixed colours on a ground of their own."""

import struct
import textwrap
import zlib
from typing import TYPE_CHECKING, Any

from experiments.deferred import Deferred
from experiments.reports.letter import Section, Step

if TYPE_CHECKING:
    import altair as alt
    import vl_convert
else:
    alt = Deferred("altair")
    vl_convert = Deferred("vl_convert")

INK, SOFT, NOW, BEFORE, GROUND = "#1a1d1b", "#575c58", "#0b6b57", "#c9d3ce", "#ffffff"
WIDTH, ROW, LABELS = 430, 46, 130
SHARPNESS = 2
SIGNATURE = b"\x89PNG\r\n\x1a\n"
SCREEN_FONT = "Liberation Sans"


def png(section: Section) -> bytes:
    """The funnel of a section for a mail, sharp on dense screens."""
    specification = _chart(section, font=SCREEN_FONT, ground=GROUND)
    return _packed(vl_convert.vegalite_to_png(specification, scale=SHARPNESS))


def svg(section: Section, *, font: str) -> str:
    """The funnel of a section as lines and text, for a document that brings the font."""
    drawn: str = vl_convert.vegalite_to_svg(_chart(section, font=font, ground="transparent"))
    return drawn


def described(section: Section) -> str:
    """What a picture of the section shows, for those who do not see it."""
    stages = "; ".join(
        f"{step.name}: {step.told}, before {step.told_before}" for step in _path(section)
    )
    return f"{section.title}. Visitors at each stage: {stages}."


def _packed(png: bytes) -> bytes:
    """The same picture in about a third of the bytes: it is drawn with hardly any compression."""
    head, pixels, place = b"", b"", len(SIGNATURE)
    while place < len(png):
        size = struct.unpack_from(">I", png, place)[0]
        kind, chunk = png[place + 4 : place + 8], png[place + 8 : place + 8 + size]
        if kind == b"IDAT":
            pixels += chunk
        elif kind != b"IEND":
            head += _chunk(kind, chunk)
        place += 12 + size
    packed = zlib.compress(zlib.decompress(pixels), 9)
    return SIGNATURE + head + _chunk(b"IDAT", packed) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, content: bytes) -> bytes:
    check = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)


def _path(section: Section) -> list[Step]:
    return [step for step in section.steps if step.on_path]


def _chart(section: Section, *, font: str, ground: str) -> dict[str, Any]:
    rows = [
        {
            "place": place,
            "name": "\n".join(textwrap.wrap(step.name, 20)[:2]),
            "week": week,
            "visitors": number,
            "told": told,
        }
        for place, step in enumerate(_path(section))
        for week, number, told in (
            ("this week", step.visitors, f"{step.told}  {step.change}"),
            ("week before", step.before, step.told_before),
        )
    ]
    base = alt.Chart(alt.InlineData(values=rows)).encode(
        y=alt.Y(
            "name:N",
            sort=alt.EncodingSortField(field="place", op="min"),
            axis=alt.Axis(
                title=None,
                domain=False,
                ticks=False,
                labelColor=INK,
                labelFontSize=12,
                labelLimit=LABELS,
                labelPadding=8,
                labelExpr="split(datum.label, '\\n')",
            ),
        ),
        yOffset=alt.YOffset("week:N", sort=["this week", "week before"]),
        x=alt.X("visitors:Q", axis=None, scale=alt.Scale(nice=False, domainMin=0)),
    )
    bars = base.mark_bar(cornerRadiusEnd=2).encode(
        color=alt.Color(
            "week:N",
            scale=alt.Scale(domain=["this week", "week before"], range=[NOW, BEFORE]),
            legend=alt.Legend(
                title=None, orient="top", labelColor=SOFT, labelFontSize=12, symbolType="square"
            ),
        )
    )
    words = base.mark_text(align="left", dx=5, fontSize=11, color=SOFT).encode(text="told:N")
    chart = (bars + words).properties(
        width=WIDTH - LABELS,
        height=max(ROW * len(_path(section)), ROW),
        background=ground,
        padding={"left": 8, "right": 90, "top": 8, "bottom": 8},
        autosize="pad",
    )
    framed: dict[str, Any] = (
        chart.configure(font=font).configure_view(stroke=None).to_dict(validate=False)
    )
    return framed
