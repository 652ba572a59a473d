"""What the slots of a journey can show."""

from pathlib import Path

import click

from experiments.commands.terminal import (
    EXISTING_FILE,
    changing,
    document,
    operator,
    reading,
    short,
    show,
    when,
)
from experiments.journeys import queries, service
from experiments.journeys.schemas import ContentIn
from experiments.settings import Settings


@click.group()
def content() -> None:
    """What the slots of a journey can show."""


@content.command("list")
@click.argument("journey")
@click.pass_obj
def list_contents(settings: Settings, journey: str) -> None:
    """Show every version of every content of the JOURNEY."""
    with reading(settings) as session:
        found = queries.contents(session, journey)
    rows = [
        (item.key, str(item.number), item.type, short(item.payload), when(item.approved_at))
        for item in found
    ]
    show(f"Content of {journey}", ("key", "version", "type", "says", "approved"), rows)


@content.command("add")
@click.argument("journey")
@click.argument("file", type=EXISTING_FILE)
@click.pass_obj
def add_content(settings: Settings, journey: str, file: Path) -> None:
    """Add the content in a YAML or JSON FILE, or a new version of it, to the JOURNEY."""
    data = document(ContentIn, file)
    with changing(settings) as (session, now):
        made = service.add_content(session, journey, data, actor=operator(), now=now)
    click.echo(f"{made.key} version {made.number} is written and waits for approval.")


@content.command("approve")
@click.argument("journey")
@click.argument("key")
@click.argument("number", type=int)
@click.pass_obj
def approve_content(settings: Settings, journey: str, key: str, number: int) -> None:
    """Allow version NUMBER of the content KEY to be shown."""
    with changing(settings) as (session, now):
        service.approve_content(session, journey, key, number, actor=operator(), now=now)
    click.echo(f"{key} version {number} may be shown now.")
