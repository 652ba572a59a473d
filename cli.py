"""Serves operators: the `desireline` command."""

import os
import resource
import shutil
import subprocess
import sys
from typing import Any

import click

import migrations
from api.meter import SEVERAL_PROCESSES
from experiments import logs
from experiments.accounts import service as accounts
from experiments.commands import (
    calibrate,
    contents,
    deciding,
    delivery,
    demo,
    doctor,
    events,
    evidence,
    exclusion,
    experiments,
    exports,
    imports,
    jobs,
    journeys,
    learnings,
    metrics,
    notifications,
    people,
    personas,
    planning,
    probation,
    reports,
    resolution,
    trust,
    visitors,
    year,
)
from experiments.commands.terminal import BAD_INPUT, open_current, until_stopped
from experiments.database import transaction
from experiments.errors import DesirelineError
from experiments.runtime import open_runtime
from experiments.settings import Settings

SECONDS_FOR_HEADERS = 10
SECONDS_TO_STOP = 20
FLAGS = ("--factory", "--respawn-failed-workers")
SERVER = {
    "interface": "wsgi",
    "backpressure": 1024,  # connections; more wait in the kernel, which refuses them in its turn
    "blocking-threads": 512,  # most of them sleep: a client that sends slowly holds one
    "http1-header-read-timeout": SECONDS_FOR_HEADERS * 1000,
    "workers-kill-timeout": SECONDS_TO_STOP,
}


class Command(click.Group):
    """The command: an error of the domain is one sentence and exit code 2."""

    def invoke(self, context: click.Context) -> Any:
        """Run the sub-command."""
        try:
            return super().invoke(context)
        except DesirelineError as error:
            click.echo(f"Error: {error}", err=True)
            context.exit(BAD_INPUT)


@click.group(cls=Command, context_settings={"help_option_names": ["-h", "--help"]})
@click.pass_context
def main(context: click.Context) -> None:
    """Try a path, pave the one that proves itself."""
    settings = Settings()
    logs.configure(as_json=settings.log_json)
    context.obj = settings


@main.command()
@click.option("--host", help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on.")
@click.option("--workers", type=click.IntRange(1, 64), default=1, show_default=True)
@click.pass_obj
def serve(settings: Settings, host: str | None, port: int | None, workers: int) -> None:
    """Serve the pages and the API."""
    _prepare(settings)
    _allow_connections()
    if workers > 1:
        _share_figures(settings)
    told = {
        "host": host or settings.host,
        "port": port if port is not None else settings.port,
        "workers": workers,
        **SERVER,
    }
    options = [word for name, value in told.items() for word in (f"--{name}", str(value))]
    # In the place of this process, which has loaded what every command needs: workers are its
    # children and would inherit it all.
    words = [sys.executable, "-m", "granian", *FLAGS, *options, "app:create_worker"]
    os.execv(sys.executable, words)  # noqa: S606 (our own words)


@main.command()
@click.pass_obj
def up(settings: Settings) -> None:
    """Serve the pages, the API and the jobs, until Ctrl-C."""
    _prepare(settings)
    children = [
        subprocess.Popen([sys.executable, "-m", "cli", "serve"]),
        subprocess.Popen([sys.executable, "-m", "scheduler"]),
    ]
    click.echo(f"Open {settings.base_url}")
    until_stopped(lambda: all(child.poll() is None for child in children))
    for child in children:
        child.terminate()
    for child in children:
        child.wait()


@main.command()
@click.pass_obj
def migrate(settings: Settings) -> None:
    """Bring the database to the newest layout."""
    migrations.upgrade(open_runtime(settings).engine)
    click.echo("The database is up to date.")


@main.command()
@click.argument("message")
@click.pass_obj
def migration(settings: Settings, message: str) -> None:
    """Write a migration for what the models have and the database lacks (developers)."""
    migrations.write(open_current(settings).engine, message)


def _allow_connections() -> None:
    """Open as many files as the system lets us: each connection is one."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _share_figures(settings: Settings) -> None:
    """Let the workers add up what they count, in files that start empty."""
    folder = settings.data_dir / "metrics"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    os.environ[SEVERAL_PROCESSES] = str(folder)


def _prepare(settings: Settings) -> None:
    """Migrate, and on the very first run make an administrator."""
    runtime = open_current(settings)
    with transaction(runtime.engine) as session:
        password = accounts.first_admin(session, now=runtime.clock.now())
    runtime.close()
    if password:
        click.echo(
            f"First run. Sign in as {accounts.FIRST_ADMIN} with {password} (shown only now)."
        )


for command in deciding.COMMANDS:
    experiments.experiment.add_command(command)

for command in (
    calibrate.calibrate,
    contents.content,
    delivery.endpoint,
    delivery.outbox,
    delivery.subscription,
    demo.run_demo,
    doctor.doctor,
    evidence.evidence,
    year.run_year,
    events.events,
    exclusion.holdout,
    exclusion.layer,
    experiments.experiment,
    exports.export_files,
    imports.import_file,
    jobs.jobs,
    journeys.journey,
    learnings.learning,
    metrics.metric,
    notifications.notification,
    people.token,
    people.user,
    personas.persona,
    planning.plan,
    probation.probation,
    reports.report,
    resolution.resolve,
    trust.trust,
    visitors.visitor,
):
    main.add_command(command)

if __name__ == "__main__":
    main()
