"""Running studies: seeds, rows with limits, the page, and the quick run as a whole."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from cli import main
from experiments.calibration.figures import mean_row, ratio_row
from experiments.calibration.page import page
from experiments.calibration.schemas import Report, Row, Table
from experiments.calibration.service import Batch, run_batch, studies
from stats.results import NotEstimable


def test_mean_row__share_of_successes__has_the_error_of_a_binomial():
    row = mean_row("promoted", np.array([1.0] * 30 + [0.0] * 70), at_most=0.2, allowed_ses=3)
    assert row.figure == pytest.approx(0.3)
    assert row.se == pytest.approx(np.sqrt(0.3 * 0.7 / 100))
    assert row.met is True
    assert row.model_copy(update={"allowed_ses": 2.0}).met is False


def test_mean_row__undefined_entries__do_not_count_and_nothing_stays_undefined():
    assert mean_row("bias", np.array([np.nan, 2.0, 4.0])).figure == 3.0
    nothing = mean_row("bias", np.array([np.nan]), at_most=0.3)
    assert isinstance(nothing.figure, NotEstimable)
    assert nothing.met is False


def test_ratio_row__paired_experiments__agrees_with_a_bootstrap(rng):
    below = (rng.random(500) < 0.8).astype(float)
    above = below * (rng.random(500) < 0.95)
    row = ratio_row("of it", above, below)
    drawn = rng.integers(0, 500, size=(4000, 500))
    ratios = above[drawn].mean(axis=1) / below[drawn].mean(axis=1)
    assert row.figure == pytest.approx(above.sum() / below.sum())
    assert row.se == pytest.approx(ratios.std(), rel=0.1)


def test_row__without_limit__is_neither_kept_nor_missed():
    assert Row(name="days", figure=20.0, se=0.1).met is None


@pytest.mark.parametrize(("figure", "kept"), [(0.929, False), (0.95, True), (0.971, False)])
def test_row__limits_on_both_sides__must_both_be_kept(figure, kept):
    assert Row(name="covers", figure=figure, se=0.0, at_least=0.93, at_most=0.97).met is kept


def test_run_batch__same_seed__gives_the_same_outcomes():
    batch = Batch(study="ramp", experiments=3, seed=np.random.SeedSequence(4))
    first, again = run_batch(batch), run_batch(batch)
    assert {name: column.tolist() for name, column in first.items()} == {
        name: column.tolist() for name, column in again.items()
    }


def test_studies__full_and_quick__are_whole_batches_of_enough_experiments():
    nulls = [study for key, study in studies().items() if key.startswith(("nulls", "ramp"))]
    assert {study.full for study in nulls} == {10_000}
    assert all(0 < study.quick < study.full for study in studies().values())


def test_page__missed_limit__is_named_at_the_top_and_in_its_table():
    row = Row(name="promoted", figure=0.08, se=0.002, at_most=0.05, allowed_ses=3)
    table = Table(key="nulls", title="Nothing to find", how="None.", experiments=10_000, rows=[row])
    written = page(Report(quick=False, seed=1, seconds=600, tables=[table]))
    assert "0 of 1 limits kept" in written
    assert "- missed: promoted (0.08, at most 0.05 (+ 3 s.e.))" in written
    assert "| promoted | 0.08 | 0.002 | at most 0.05 (+ 3 s.e.) | **missed** |" in written


@pytest.mark.slow
def test_calibrate__quick__promotes_next_to_nothing_without_effect(tmp_path):
    result = CliRunner().invoke(main, ["calibrate", "--quick", "--out", str(tmp_path)])
    assert result.exit_code == 0, result.output
    report = json.loads((tmp_path / "reference" / "calibration.json").read_text())
    assert len(report["tables"]) == len(studies())
    tables = {table["key"]: table["rows"] for table in report["tables"]}
    for key in ("nulls-conversion", "nulls-sum", "nulls-ratio", "ramp", "sooner", "guardrail"):
        assert all(row["met"] for row in tables[key])
    assert "What is left out" in (tmp_path / "explanation" / "calibration.md").read_text()
