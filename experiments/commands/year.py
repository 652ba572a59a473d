"""Watching a whole year of experiments in minutes."""

import sys
import time
from datetime import timedelta
from pathlib import Path

import click
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from experiments.commands.terminal import console, open_current, show
from experiments.replay.proving import prove
from experiments.settings import Settings
from experiments.simulation import demo, year, year_page
from experiments.simulation.score import Score, score
from experiments.simulation.servers import Servers
from experiments.simulation.year import Played, Size

MISSED = 1
ROUNDS = 5
LOGGED_SHARE = 0.05
DAYS_BETWEEN_LINES = 35


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
    if not console.is_terminal:
        return year.play(servers, token, size, progress=_Lines())
    columns = (
        TextColumn("day {task.completed:3.0f} of {task.total:.0f}"),
        BarColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}"),
    )
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("starting the server and the scheduler", total=size.days)
        return year.play(
            servers,
            token,
            size,
            progress=lambda days, what: bar.update(task, completed=days, description=what),
        )


class _Lines:
    """Progress where nothing can be drawn over: a line every few weeks."""

    def __init__(self) -> None:
        self._next = 0.0

    def __call__(self, days: float, what: str) -> None:
        if days >= self._next:
            click.echo(f"day {days:.0f}: {what}")
            self._next = days + DAYS_BETWEEN_LINES


def _write(found: Score, folder: Path, *, rounds: int) -> None:
    told = year_page.page(
        found, rounds=rounds, holdback=year.HOLDBACK_SHARE, holdout=year.HOLDOUT_SHARE
    )
    for name, content in (
        ("explanation/a-simulated-year.md", told),
        ("reference/year.json", found.model_dump_json(indent=2) + "\n"),
    ):
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content, encoding="utf-8")
