"""Watching a whole year of experiments in minutes."""

import sys
import time
from datetime import timedelta
from pathlib import Path

import click

from experiments.commands.pages import write_pages
from experiments.commands.progress import simulated_days
from experiments.commands.terminal import open_current, show
from experiments.replay.proving import prove
from experiments.settings import Settings
from experiments.simulation import demo, year, year_page
from experiments.simulation.score import Score, score
from experiments.simulation.servers import Servers
from experiments.simulation.year import Played, Size

MISSED = 1
ROUNDS = 5
LOGGED_SHARE = 0.05


@click.command("year")
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("data/year"),
    show_default=True,
    help="Where it is stored; emptied first.",
)
@click.option(
    "--rounds",
    type=click.IntRange(1, 5),
    default=ROUNDS,
    show_default=True,
    help="Twelve experiments each, ten weeks.",
)
@click.option("--seed", type=click.IntRange(0), default=demo.SEED, show_default=True)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the documentation, to write the page and the figures into.",
)
def run_year(folder: Path, *, rounds: int, seed: int, out: Path | None) -> None:
    """Run a simulated year of experiments with hidden truths over the real API and scheduler.

    It ends with exit code 1 when more harmful promotions are verified than alpha allows, or when
    replay does not give every logged answer again.
    """
    found = _run(folder, year.size_of(rounds, seed=seed))
    columns = ("hidden truth", "begun", "promoted", "harm", "demoted", "verified", "unverified")
    show("What became of the experiments", columns, year_page.fate_rows(found))
    show("The year", ("", ""), year_page.score_rows(found))
    if out is not None:
        _write(found, out, rounds=rounds)
    if found.missed:
        sys.exit(MISSED)


def _run(folder: Path, size: Size) -> Score:
    began = time.perf_counter()
    settings = demo.prepare(folder).model_copy(
        update={
            "resolution_log_share": LOGGED_SHARE,
            "resolution_log_days": 2 * size.days,
            "clock_stretch_hours": year.STEP // timedelta(hours=1),
        }
    )
    runtime = open_current(settings)
    try:
        token = demo.sign_up(runtime, now=runtime.clock.now()).token
        played = _play(settings, token, size)
        replayed = prove(runtime.engine)
    finally:
        runtime.close()
    seconds = time.perf_counter() - began
    return score(played, replayed, days=size.days, seconds=seconds)


def _play(settings: Settings, token: str, size: Size) -> Played:
    servers = Servers(settings)
    with simulated_days(size.days) as progress:
        return year.play(servers, token, size, progress=progress)


def _write(found: Score, folder: Path, *, rounds: int) -> None:
    told = year_page.page(
        found, rounds=rounds, holdback=year.HOLDBACK_SHARE, holdout=year.HOLDOUT_SHARE
    )
    write_pages(
        folder,
        {
            "explanation/a-simulated-year.md": told,
            "reference/year.json": found.model_dump_json(indent=2) + "\n",
        },
    )
