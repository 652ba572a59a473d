"""The import command: storing, looking and judging in one go."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import cli

MAPPING = """
kind: totals
journey: { key: news, name: News }
experiment: { key: "test-{test}", name: "Test {test}" }
variant: "arm-{arm}"
at: { text: "{day}" }
visitors: shown
outcomes: [{ key: click, name: Clicked, column: clicks }]
"""
ROWS = "test,arm,day,shown,clicks\n1,1,2026-01-05,1000,50\n1,2,2026-01-05,1020,60\n2,1,x,5,1\n"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    monkeypatch.setenv("DESIRELINE_DATA_DIR", str(tmp_path / "store"))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    (tmp_path / "mapping.yaml").write_text(MAPPING, encoding="utf-8")

    def running(rows: str, *options: str) -> Result:
        (tmp_path / "data.csv").write_text(rows, encoding="utf-8")
        files = [str(tmp_path / "mapping.yaml"), str(tmp_path / "data.csv")]
        return CliRunner().invoke(cli.main, ["import", *files, *options])

    return running


def test_import__good_file__then_stored_and_analysed(
    run: Callable[..., Result], tmp_path: Path
) -> None:
    result = run(ROWS)
    assert result.exit_code == 0, result.output
    assert "3 rows of totals: 2 stored, 0 there already, 1 rejected." in result.output
    assert "1 experiments analysed; sample ratio: 1 as planned." in result.output
    assert (tmp_path / "data.csv.rejected.csv").exists()


def test_import__dry_run__then_nothing_is_made(run: Callable[..., Result], tmp_path: Path) -> None:
    result = run(ROWS, "--dry-run")
    assert result.exit_code == 0
    assert "arm-1: click: 0.05 of 1000" in result.output
    assert not (tmp_path / "store").exists()


def test_import__column_missing__then_a_sentence_and_exit_code_2(
    run: Callable[..., Result],
) -> None:
    result = run("test,arm,day,clicks\n1,1,2026-01-05,2\n")
    assert result.exit_code == 2
    assert result.output.startswith("Error: visitors: data.csv has no column 'shown'")
