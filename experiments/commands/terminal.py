"""What every command needs: storage to read or change, an actor, tables, text files."""

import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table
from sqlmodel import Session

import migrations
from experiments.audit.schemas import Actor, ActorKind
from experiments.database import reading as database_reading
from experiments.database import transaction
from experiments.errors import MalformedError
from experiments.journeys import documents
from experiments.runtime import Runtime, open_runtime
from experiments.settings import Settings
from experiments.shapes import Shape, parse

BAD_INPUT = 2
EXISTING_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)

console = Console()


def open_current(settings: Settings) -> Runtime:
    """The runtime of these settings, on the newest layout."""
    runtime = open_runtime(settings)
    migrations.upgrade(runtime.engine)
    return runtime


@contextmanager
def reading(settings: Settings) -> Iterator[Session]:
    """A consistent view of the data."""
    with database_reading(open_current(settings).engine) as session:
        yield session


@contextmanager
def changing(settings: Settings) -> Iterator[tuple[Session, datetime]]:
    """A transaction, and the time."""
    runtime = open_current(settings)
    with transaction(runtime.engine) as session:
        yield session, runtime.clock.now()


def operator() -> Actor:
    """Whoever types."""
    return Actor(kind=ActorKind.OPERATOR, name=os.environ.get("USER", "shell"))


def until_stopped(alive: Callable[[], bool] = lambda: True) -> None:
    """Wait for Ctrl-C or a polite end, as long as `alive` says so."""
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    while alive() and not stopped.wait(1):
        pass


def show(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table."""
    table = Table(*columns, title=title, title_justify="left")
    for row in rows:
        table.add_row(*row)
    console.print(table)


def text(file: Path) -> str:
    """What a text file says.

    Raises:
        MalformedError: when it is not UTF-8.
    """
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        message = f"{file} is not UTF-8 (byte {error.start}); save it as UTF-8."
        raise MalformedError(message) from error


def document(shape: type[Shape], file: Path) -> Shape:
    """What a YAML or JSON file says, as `shape`.

    Raises:
        MalformedError: when it cannot be read.
        InvalidError: when a field is wrong.
    """
    return parse(shape, documents.load(text(file)))


def when(at: datetime | None) -> str:
    """A time for people, empty if there is none."""
    return at.strftime("%Y-%m-%d %H:%M UTC") if at else ""


def short(value: object) -> str:
    """The beginning of a value, empty if there is none."""
    return "" if value is None else str(value)[:60]
