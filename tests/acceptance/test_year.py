"""Ten weeks of the simulated year: real server, real scheduler, a clock that runs ahead."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from cli import main


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.enable_socket
def test_year__one_round__then_true_winners_promoted_and_every_answer_replayed(
    tmp_path: Path,
) -> None:
    docs = tmp_path / "docs"
    asked = ["year", "--rounds", "1", "--folder", str(tmp_path / "year"), "--out", str(docs)]
    result = CliRunner().invoke(main, asked, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    found = json.loads((docs / "reference" / "year.json").read_text())
    fates = {fate["truth"]: fate for fate in found["fates"]}
    assert found["begun"] == 12
    assert found["logged"] == found["replayed"] > 0
    assert sum(fates[truth]["promoted"] for truth in fates if truth.startswith("better")) >= 2
    assert fates["dead: nobody can buy"]["taken_out"] == 1
    assert fates["harmful"]["promoted"] == 0
    assert "| hidden truth |" in (docs / "explanation" / "a-simulated-year.md").read_text()
