"""Watching the whole idea work on a pretended site."""

import os
import sys
from pathlib import Path

import click
from rich.table import Table

from experiments.commands.progress import simulated_days
from experiments.commands.terminal import console, open_current, until_stopped
from experiments.settings import Settings
from experiments.simulation import demo
from experiments.simulation.demo import Credentials, Ending
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
@click.pass_obj
def run_demo(settings: Settings, folder: Path) -> None:
    """Run a simulated month over the real API in about a minute.

    With a terminal it then goes on serving until Ctrl-C. It fails when the true winner was not
    promoted or anything else was.
    """
    settings = demo.prepare(folder)
    runtime = open_current(settings)
    servers = Servers(settings)
    try:
        credentials = demo.sign_up(runtime, now=demo.begins_at(runtime.clock.now()))
        endings = _play(servers, credentials)
        demo.finish(runtime)
        _tell(endings)
        if _somebody_watches():
            _keep_serving(servers, credentials)
    finally:
        servers.stop()
        runtime.close()
    if not all(ending.expected for ending in endings):
        sys.exit(UNEXPECTED)


def _play(servers: Servers, credentials: Credentials) -> list[Ending]:
    with simulated_days(demo.DAYS_AGO) as progress:
        return demo.play(servers, credentials, progress=progress)


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
