"""Charts: what a screen reader hears, and that the policy permits them."""

import re
from xml.etree import ElementTree

from web.charts import Interval, Stop, intervals, path

EFFECTS = (
    Interval(label="Signed up · <short>", low=0.02, value=0.09, high=0.17, decided=True),
    Interval(label="Activated · short", low=-0.2, value=0.01, high=4.0),
)
STOPS = (Stop(name="Visits", visitors=1810, tests=1), Stop(name="Subscribes", visitors=0))


def test_intervals__effects__are_told_in_words_too():
    told = ElementTree.fromstring(intervals(EFFECTS, "Effects")).findtext("{*}desc")

    assert told is not None
    assert "Signed up · <short>: +9.0%, from +2.0% to +17.0%" in told


def test_intervals__only_an_interval_without_zero__has_the_colour_of_a_result():
    coloured = re.findall(r'stroke="(var\(--(?:accent|neutral)\))"', intervals(EFFECTS, "Effects"))

    assert coloured == ["var(--accent)", "var(--neutral)"]


def test_chart__any__uses_only_presentation_attributes():
    for drawing in (path(STOPS), intervals(EFFECTS, "Effects")):
        assert ElementTree.fromstring(f"<p>{drawing}</p>").find(".//{*}svg") is not None
        assert not re.search(r"\sstyle=|<style|<script|https?://(?!www\.w3\.org)", drawing)


def test_path__stage_nobody_reached__is_still_on_it():
    drawing = path(STOPS)

    assert "Subscribes: 0" in drawing
    assert "1 in test" in drawing


def test_path__on_a_phone__is_drawn_from_top_to_bottom():
    upright = ElementTree.fromstring(path(STOPS)).find("div[@class='upright']/{*}svg")

    assert upright is not None
    _, _, width, height = map(float, upright.attrib["viewBox"].split())
    assert width < 360
    assert height > 2 * 70
    assert "1\u202f810 visitors · 1 in test" in "".join(upright.itertext())
