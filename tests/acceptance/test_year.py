"""The first days of a simulated year: real server, real scheduler, a clock that runs ahead."""

from pathlib import Path

import pytest

from experiments.commands.terminal import open_current
from experiments.replay.proving import prove
from experiments.simulation import demo
from experiments.simulation.portfolio import PAGE, Truth
from experiments.simulation.score import score
from experiments.simulation.servers import Servers
from experiments.simulation.year import Size, play

SIZE = Size(rounds=1, days=14, visitors_per_day=24, seed=7)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.enable_socket
def test_year__first_fortnight__everything_is_looked_at_and_every_answer_replayed(
    tmp_path: Path,
) -> None:
    settings = demo.prepare(tmp_path / "year").model_copy(
        update={"resolution_log_share": 0.5, "resolution_log_days": 30, "clock_stretch_hours": 84}
    )
    runtime = open_current(settings)
    told: list[str] = []
    try:
        token = demo.sign_up(runtime).token
        played = play(Servers(settings), token, SIZE, progress=lambda _, what: told.append(what))
        found = score(played, prove(runtime.engine), days=SIZE.days, seconds=1)
    finally:
        runtime.close()
    assert len(told) == 2  # weeks
    assert found.begun == len(played.experiments) == 12
    assert played.visitors == SIZE.days * SIZE.visitors_per_day
    assert found.replayed == found.logged > 100
    assert all(len(made) >= 2 for made in played.decisions.values())
    (dead,) = [trial for trial in played.trials if trial.truth is Truth.DEAD]
    assert dead.touchpoint == PAGE
    assert played.experiments[dead.key]["status"] == "aborted"
