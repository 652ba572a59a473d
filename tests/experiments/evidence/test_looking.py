"""A small file with snapshots, through the real import, analysis and gate."""

from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pytest
from scipy import stats as scipy_stats

from experiments.decisions.schemas import Outcome
from experiments.evidence.looking import Order, stories
from experiments.evidence.schemas import Story
from experiments.evidence.service import MAPPINGS
from experiments.imports.mapping import read_mapping

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
HEADER = (
    "experiment_id,variant_id,metric_id,time_since_start,"
    "count_c,count_t,mean_c,mean_t,variance_c,variance_t"
)
VISITORS = 2_000
FADING = (0.150, 0.120, 0.112, 0.108)  # of the treatment, week by week; the control has 10%
WINNING = (0.150, 0.150, 0.150, 0.150)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Story]:
    file = tmp_path_factory.mktemp("evidence") / "snapshots.csv"
    lines = [
        f"{key},1,1,{7 * week},{n},{n},0.1,{rate},,"
        for key, rates in (("fading", FADING), ("winning", WINNING))
        for week, rate in enumerate(rates, start=1)
        for n in [VISITORS * week]
    ]
    file.write_text("\n".join([HEADER, *lines]) + "\n")
    mapping = read_mapping(MAPPINGS / "asos.yaml")
    return {item.experiment: item for item in stories(Order(mapping=mapping, file=file, now=NOW))}


def test_story__of_each_arm__then_textbook_p_values_of_the_raw_counts(
    told: dict[str, Story],
) -> None:
    [path] = told["asos-fading"].arms
    p_values = [p_value(0.1, rate, VISITORS * week) for week, rate in enumerate(FADING, start=1)]
    assert path.looks == len(FADING)
    assert path.lowest_p == pytest.approx(min(p_values), rel=1e-6)
    assert path.last_p == pytest.approx(p_values[-1], rel=1e-6)
    assert path.crossed
    assert path.came_back


def p_value(control: float, treatment: float, visitors: int) -> float:
    se = np.sqrt((control * (1 - control) + treatment * (1 - treatment)) / visitors)
    return float(2 * scipy_stats.norm.sf((treatment - control) / se))


def test_story__true_winner__then_promoted_with_a_shrunk_effect(told: dict[str, Story]) -> None:
    story = told["asos-winning"]
    assert (story.outcome, story.bayesian) == (Outcome.PROMOTE, Outcome.PROMOTE)
    assert story.winner is not None
    assert story.winner.measured.value == pytest.approx(0.5, abs=0.01)
    assert 0 < story.winner.expected.value < story.winner.measured.value
    assert story.began == date(2020, 1, 6)
    assert not story.split_alarm


def test_stories__shared_out__then_every_experiment_once(tmp_path: Path) -> None:
    file = tmp_path / "totals.csv"
    rows = [f"{test},{arm},Words,1000,50,201401" for test in "abc" for arm in (1, 2)]
    head = "clickability_test_id,arm_no,headline,impressions,clicks,test_week"
    file.write_text("\n".join([head, *rows]) + "\n")
    mapping = read_mapping(MAPPINGS / "upworthy.yaml")
    shares = [
        stories(Order(mapping=mapping, file=file, now=NOW, part=part, parts=2)) for part in (0, 1)
    ]
    keys = [[item.experiment for item in share] for share in shares]
    assert keys == [["upworthy-a", "upworthy-c"], ["upworthy-b"]]
