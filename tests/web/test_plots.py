"""Plots of an experiment: drawn in both themes, told in words, silent without data."""

from xml.etree import ElementTree

import pytest

from web.experiment_health import exposures_plot
from web.experiment_plots import stages
from web.plots import THEMES, svg

STAGES = [
    ("visit", "Visited", "bold", 1.0, 1.0, None, None, None),
    ("signup", "Signed up", "bold", 0.2, 0.25, 0.25, 0.1, 0.4),
    ("pay", "Paid", "bold", 0.1, 0.1, 0.0, -0.2, 0.3),
]


@pytest.mark.parametrize("theme", THEMES)
def test_stages__effects__are_drawn_in_the_colours_of_the_theme(theme):
    plot = stages(STAGES, called={"bold": "In bold"})

    assert plot is not None
    drawing = svg(plot, theme)
    assert ElementTree.fromstring(drawing).tag.endswith("svg")
    assert THEMES[theme].series[0] in drawing
    assert "Signed up" in drawing


def test_stages__effects__are_told_in_words_too():
    plot = stages(STAGES, called={"bold": "In bold"})

    assert plot is not None
    assert "Signed up, In bold: +25.0%; Paid, In bold: 0.0%" in plot.told


def test_plots__nothing_to_draw__do_not_exist():
    assert stages(STAGES[:1], called={"bold": "In bold"}) is None
    assert exposures_plot(["control", "bold"], [("2026-03-02", 10, 12)]) is None
