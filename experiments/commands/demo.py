"""Watching the whole idea work on a pretended site."""

import os
import sys
from datetime import datetime
from pathlib import Path

import click
from rich.table import Table

from experiments.clock import SteppedClock
from experiments.commands.progress import Days, simulated_days
from experiments.commands.terminal import console, open_current, until_stopped
from experiments.runtime import open_runtime
from experiments.settings import Settings
from experiments.simulation import demo, rehearsal, scene
from experiments.simulation.demo import Credentials
from experiments.simulation.scene import Ending
from experiments.simulation.servers import Servers

UNEXPECTED = 1


@click.command("demo")
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("data/demo"),
    show_default=True,
    help="Where it is stored; emptied first.",
)
@click.option(
    "--rehearsed", is_flag=True, help="In this process alone, in seconds: no server, no network."
)
@click.pass_obj
def run_demo(settings: Settings, folder: Path, *, rehearsed: bool) -> None:
    """Run a simulated month over the real API in about a minute and a half.

    With a terminal it then goes on serving until Ctrl-C. It fails when the true winner was not
    promoted or anything else was.
    """
    settings = demo.prepare(folder)
    runtime = open_current(settings)
    servers = Servers(settings)
    try:
        credentials = demo.sign_up(runtime, now=demo.begins_at(runtime.clock.now()))
        with simulated_days(demo.DAYS_AGO) as progress:
            if rehearsed:
                _rehearse(settings, credentials, until=runtime.clock.now(), progress=progress)
            else:
                demo.play(runtime, servers, credentials, progress=progress)
        demo.finish(runtime)
        endings = scene.endings(runtime)
        _tell(endings)
        if _somebody_watches():
            _keep_serving(servers, credentials)
    finally:
        servers.stop()
        runtime.close()
    if not all(ending.expected for ending in endings):
        sys.exit(UNEXPECTED)


def _rehearse(
    settings: Settings, credentials: Credentials, *, until: datetime, progress: Days
) -> None:
    clock = SteppedClock(settings.data_dir / "clock")
    runtime = open_runtime(settings, clock)
    try:
        source_key = f"token:{credentials.token_id}"
        rehearsal.play(runtime, clock, source_key=source_key, until=until, progress=progress)
    finally:
        runtime.close()


def _tell(endings: list[Ending]) -> None:
    table = Table("experiment", "hidden truth", "ended", "in words", title="What became of them")
    for ending in endings:
        mark = "[green]as it should be[/]" if ending.expected else "[red]wrong[/]"
        ended = f"{ending.status}\n{mark}"
        table.add_row(f"{ending.name}\n[dim]{ending.key}[/]", ending.truth, ended, ending.sentence)
    console.print(table)


def _keep_serving(servers: Servers, credentials: Credentials) -> None:
    servers.start()
    base = servers.settings.base_url
    console.print(
        f"Sign in on [bold]{base}[/] as {credentials.email} with {credentials.password}\n"
        f"  the journey       {base}/journeys/insurance\n"
        f"  the winner        {base}/experiments/hero-pain\n"
        f"  the weekly report {base}/reports\n"
        "Ctrl-C stops it.",
        highlight=False,
    )
    until_stopped()


def _somebody_watches() -> bool:
    return sys.stdin.isatty() and not os.environ.get("CI")
