"""Serves operators: the `desireline` command."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import click
from granian import Granian
from granian.constants import Interfaces
from rich.console import Console
from rich.table import Table
from sqlmodel import Session

import migrations
from experiments import logs
from experiments.accounts import queries as people
from experiments.accounts import service as accounts
from experiments.accounts.schemas import Role, Scope, TokenIn, UserIn
from experiments.audit.schemas import Actor, ActorKind
from experiments.database import reading, transaction
from experiments.errors import DesirelineError
from experiments.jobs import queries as job_queries
from experiments.jobs import service as job_service
from experiments.runtime import Runtime, open_runtime
from experiments.settings import Settings
from experiments.shapes import parse

BAD_INPUT = 2
THREADS_PER_WORKER = 8
FIRST_ADMIN = "admin@localhost"

console = Console()


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
    Granian(
        "app:create_app",
        factory=True,
        interface=Interfaces.WSGI,
        address=host or settings.host,
        port=port if port is not None else settings.port,
        workers=workers,
        blocking_threads=THREADS_PER_WORKER,
        log_access=False,
    ).serve()


@main.command()
@click.pass_obj
def up(settings: Settings) -> None:
    """Serve the pages, the API and the jobs, until Ctrl-C."""
    _prepare(settings)
    web = subprocess.Popen([sys.executable, "-m", "cli", "serve"])
    scheduler = subprocess.Popen([sys.executable, "-m", "scheduler"])
    click.echo(f"Open {settings.base_url}")
    try:
        web.wait()
    except KeyboardInterrupt:
        web.send_signal(signal.SIGINT)
        web.wait()
    finally:
        scheduler.terminate()
        scheduler.wait()


@main.command()
@click.pass_obj
def migrate(settings: Settings) -> None:
    """Bring the database to the newest layout."""
    migrations.upgrade(open_runtime(settings).engine)
    click.echo("The database is up to date.")


@main.group()
def jobs() -> None:
    """The scheduled jobs."""


@jobs.command("list")
@click.pass_obj
def list_jobs(settings: Settings) -> None:
    """Show every job with its newest run."""
    with _reading(settings) as session:
        found = job_queries.jobs(session)
    rows = [(item.name, item.description, _ago(item.finished_at), item.outcome) for item in found]
    _show("Jobs", ("job", "what it does", "last finished", "outcome"), rows)


@jobs.command("run")
@click.argument("name")
@click.pass_obj
def run_job(settings: Settings, name: str) -> None:
    """Run one job now; every job is safe to run again."""
    runtime = _open(settings)
    click.echo(job_service.run(runtime, job_service.job(name)))


@main.group()
def user() -> None:
    """People who sign in."""


@user.command("add")
@click.argument("email")
@click.option("--name", default="", help="How the person is called; the e-mail if not given.")
@click.option("--role", type=click.Choice([role.value for role in Role]), default=Role.VIEWER.value)
@click.password_option(help="At least 12 characters; asked for when not given.")
@click.pass_obj
def add_user(settings: Settings, email: str, name: str, role: str, password: str) -> None:
    """Add a person."""
    data = {"email": email, "name": name or email, "role": role, "password": password}
    with _changing(settings) as (session, now):
        made = accounts.create_user(session, parse(UserIn, data), actor=_operator(), now=now)
    click.echo(f"{made.email} can sign in as {made.role}.")


@user.command("list")
@click.pass_obj
def list_users(settings: Settings) -> None:
    """Show everybody."""
    with _reading(settings) as session:
        found = people.users(session)
    rows = [(item.email, item.name, item.role, _ago(item.disabled_at)) for item in found]
    _show("People", ("e-mail", "name", "role", "disabled"), rows)


@main.group()
def token() -> None:
    """API tokens for machines."""


@token.command("create")
@click.argument("name")
@click.option(
    "--scope", "scopes", type=click.Choice([scope.value for scope in Scope]), multiple=True
)
@click.pass_obj
def create_token(settings: Settings, name: str, scopes: tuple[str, ...]) -> None:
    """Make a token; the secret is shown only now."""
    data = parse(TokenIn, {"name": name, "scopes": list(scopes)})
    with _changing(settings) as (session, now):
        made = accounts.create_token(session, data, actor=_operator(), now=now)
    click.echo(made.secret)


@token.command("list")
@click.pass_obj
def list_tokens(settings: Settings) -> None:
    """Show every token, without its secret."""
    with _reading(settings) as session:
        found = people.tokens(session)
    rows = [
        (str(item.id), item.name, item.prefix, " ".join(item.scopes), _ago(item.revoked_at))
        for item in found
    ]
    _show("Tokens", ("id", "name", "starts with", "scopes", "revoked"), rows)


@token.command("revoke")
@click.argument("token_id", type=int)
@click.pass_obj
def revoke_token(settings: Settings, token_id: int) -> None:
    """End a token."""
    with _changing(settings) as (session, now):
        accounts.revoke_token(session, token_id, actor=_operator(), now=now)
    click.echo("The token no longer works.")


def _prepare(settings: Settings) -> None:
    """Migrate, and on the very first run make an administrator."""
    runtime = open_runtime(settings)
    migrations.upgrade(runtime.engine)
    with transaction(runtime.engine) as session:
        password = accounts.first_admin(session, email=FIRST_ADMIN, now=runtime.clock.now())
    runtime.engine.dispose()
    if password:
        click.echo(f"First run. Sign in as {FIRST_ADMIN} with {password} (shown only now).")


def _open(settings: Settings) -> Runtime:
    runtime = open_runtime(settings)
    migrations.upgrade(runtime.engine)
    return runtime


@contextmanager
def _reading(settings: Settings) -> Iterator[Session]:
    with reading(_open(settings).engine) as session:
        yield session


@contextmanager
def _changing(settings: Settings) -> Iterator[tuple[Session, datetime]]:
    runtime = _open(settings)
    with transaction(runtime.engine) as session:
        yield session, runtime.clock.now()


def _operator() -> Actor:
    return Actor(kind=ActorKind.OPERATOR, name=os.environ.get("USER", "shell"))


def _show(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    table = Table(*columns, title=title, title_justify="left")
    for row in rows:
        table.add_row(*row)
    console.print(table)


def _ago(at: datetime | None) -> str:
    return at.strftime("%Y-%m-%d %H:%M UTC") if at else ""


if __name__ == "__main__":
    main()
