"""What the gate makes of public experiments, look by look."""

import csv
import gzip
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from scipy import stats as scipy_stats

from experiments.decisions.schemas import Outcome
from experiments.evidence.looking import Order, stories
from experiments.evidence.service import ASOS, MAPPINGS, UPWORTHY
from experiments.imports.mapping import read_mapping

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
Rows = list[dict[str, str]]


def excerpt(file: Path, column: str, wanted: set[str]) -> Rows:
    """The rows of a few experiments of a data set."""
    with gzip.open(file, "rt", encoding="utf-8", newline="") as lines:
        return [row for row in csv.DictReader(lines) if row[column] in wanted]


def written(rows: Rows, file: Path) -> Path:
    with file.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.DictWriter(lines, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return file


@pytest.mark.slow
def test_asos__crosses_and_comes_back__then_not_promoted(
    real_file: Callable[[str], Path], tmp_path: Path
) -> None:
    rows = [
        r for r in excerpt(real_file(ASOS), "experiment_id", {"fcebce"}) if r["metric_id"] == "1"
    ]
    mapping = read_mapping(MAPPINGS / "asos.yaml")
    [story] = stories(Order(mapping=mapping, file=written(rows, tmp_path / "a.csv"), now=NOW))
    [path] = story.arms
    p_values = [p_value(row) for row in rows]
    assert path.looks == len(rows)
    assert (path.lowest_p, path.last_p) == pytest.approx((min(p_values), p_values[-1]), rel=1e-4)
    assert path.came_back
    assert story.outcome is not Outcome.PROMOTE


def p_value(row: dict[str, str]) -> float:
    arms = [(float(row[f"mean_{arm}"]), int(row[f"count_{arm}"])) for arm in "ct"]
    variance = sum(rate * (1 - rate) / visitors for rate, visitors in arms)
    return float(2 * scipy_stats.norm.sf(abs(arms[1][0] - arms[0][0]) / np.sqrt(variance)))


@pytest.mark.slow
def test_upworthy__worst_split_of_the_warned_weeks__then_held_back(
    real_file: Callable[[str], Path], tmp_path: Path
) -> None:
    weeks = {str(week) for week in (*range(201326, 201353), 201400, 201401)}
    tests: dict[str, Rows] = {}
    for row in excerpt(real_file(UPWORTHY), "test_week", weeks):
        tests.setdefault(row["clickability_test_id"], []).append(row)
    worst = min((arms for arms in tests.values() if len(arms) > 1), key=split_p)
    mapping = read_mapping(MAPPINGS / "upworthy.yaml")
    [story] = stories(Order(mapping=mapping, file=written(worst, tmp_path / "u.csv"), now=NOW))
    assert story.split_alarm
    assert "planned split" in story.open
    assert story.outcome is not Outcome.PROMOTE


def split_p(arms: Rows) -> float:
    return float(scipy_stats.chisquare([int(row["impressions"]) for row in arms]).pvalue)
