"""Personas at the terminal."""

from pathlib import Path

import click

from experiments.commands.terminal import (
    EXISTING_FILE,
    changing,
    document,
    operator,
    reading,
    show,
)
from experiments.instances.members import sizes
from experiments.personas import queries, service
from experiments.personas.schemas import PersonaIn
from experiments.settings import Settings


@click.group()
def persona() -> None:
    """Kinds of visitors, each with the rule that recognises them."""


@persona.command("list")
@click.pass_obj
def list_personas(settings: Settings) -> None:
    """Show every persona in use with how many visitors fit it."""
    with reading(settings) as session:
        found = queries.personas(session)
        fitting = sizes(session, {item.key: item.rule for item in found})
    rows = [(item.key, item.name, item.words, f"{fitting[item.key]:,}") for item in found]
    show("Personas", ("key", "name", "who", "visitors"), rows)


@persona.command("write")
@click.argument("file", type=EXISTING_FILE)
@click.pass_obj
def write_persona(settings: Settings, file: Path) -> None:
    """Describe the persona in a YAML or JSON FILE, or write a new version of it."""
    data = document(PersonaIn, file)
    with changing(settings) as (session, now):
        known = {item.key for item in queries.personas(session, with_retired=True)}
        if data.key in known:
            made = service.update(session, data.key, data, actor=operator(), now=now)
        else:
            made = service.create(session, data, actor=operator(), now=now)
    click.echo(f"Persona {made.key!r}, version {made.version}: {made.words}.")


@persona.command("retire")
@click.argument("key")
@click.option("--reason", required=True)
@click.pass_obj
def retire_persona(settings: Settings, key: str, reason: str) -> None:
    """Offer the persona KEY no more."""
    with changing(settings) as (session, now):
        service.retire(session, key, reason=reason, actor=operator(), now=now)
    click.echo(f"Persona {key!r} is retired.")
