"""The scheduled jobs."""

import click

from experiments.commands.terminal import open_current, reading, show, when
from experiments.jobs import queries, service
from experiments.settings import Settings


@click.group()
def jobs() -> None:
    """The scheduled jobs."""


@jobs.command("list")
@click.pass_obj
def list_jobs(settings: Settings) -> None:
    """Show every job with its newest run."""
    with reading(settings) as session:
        found = queries.jobs(session)
    rows = [(item.name, item.description, when(item.finished_at), item.outcome) for item in found]
    show("Jobs", ("job", "what it does", "last finished", "outcome"), rows)


@jobs.command("run")
@click.argument("name")
@click.pass_obj
def run_job(settings: Settings, name: str) -> None:
    """Run one job now; every job is safe to run again."""
    runtime = open_current(settings)
    click.echo(service.run(runtime, service.job(name)))
