"""Numbers that others published about real experiments, computed from the rows.

The data comes from `DESIRELINE_DATA`, or from beside the checkout.
"""

import csv
import gzip
import os
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from stats.means import mean_estimate
from stats.moments import Counts, Moments
from stats.proportions import pooled_z, unpooled_z
from stats.sample_ratio import sample_ratio_chi2

DATA = Path(os.environ.get("DESIRELINE_DATA", Path(__file__).parents[3] / "shared" / "data"))


def rows_of(name):
    file = DATA / name
    if not file.is_file():
        pytest.skip(f"no data at {file}; set DESIRELINE_DATA")
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


@pytest.fixture(scope="module")
def cookie_cats():
    rows = rows_of("cookie_cats.csv.gz")
    return [[row for row in rows if row["version"] == gate] for gate in ("gate_30", "gate_40")]


def returned(players, day):
    came_back = sum(player[f"retention_{day}"].upper() == "TRUE" for player in players)
    return Counts(visitors=len(players), conversions=came_back)


def test_cookie_cats__retention__equals_the_published_tests(cookie_cats):
    first_day = pooled_z(*(returned(players, 1) for players in cookie_cats)).at()
    assert (first_day.z, first_day.p_two_sided) == pytest.approx((-1.784, 0.0744), abs=5e-4)
    week = unpooled_z(*(returned(players, 7) for players in cookie_cats)).at()
    published = (-0.0082, -0.0133, -0.0031, 0.0016)
    ours = (week.effect_abs, week.ci_low, week.ci_high, week.p_two_sided)
    assert ours == pytest.approx(published, abs=6e-5)


def test_cookie_cats__split__warns_but_does_not_alarm(cookie_cats):
    split = sample_ratio_chi2([len(players) for players in cookie_cats], [1, 1]).at()
    assert (split.chi2, split.p_value) == pytest.approx((6.90, 0.0086), abs=5e-3)


def test_karlan_list__dollars_per_letter__equal_table_2a():
    rows = rows_of("karlan_list_letters.csv.gz")
    given = {
        arm: np.array([float(r["out_amountgive"] or 0) for r in rows if r["treatment"] == arm])
        for arm in ("0", "1")
    }
    arms = [mean_estimate(Moments.from_values(given[arm])) for arm in ("0", "1")]
    assert [arm.value for arm in arms] == pytest.approx([0.813, 0.965], abs=6e-4)
    errors = [stats.sem(given[arm]) for arm in ("0", "1")]
    assert np.sqrt([arm.variance for arm in arms]) == pytest.approx(errors, rel=1e-12)
