"""What arrives, and what did not."""

import json
from datetime import timedelta

import click

from experiments.commands.terminal import changing, reading, show, when
from experiments.events import queries
from experiments.inbox import queries as inbox
from experiments.settings import Settings


@click.group()
def events() -> None:
    """What arrives: senders, the newest events, refusals, dead letters."""


@events.command("senders")
@click.pass_obj
def list_senders(settings: Settings) -> None:
    """Show who sends events and when the last one came."""
    with changing(settings) as (session, now):
        found = queries.senders(session, now=now)
    rows = [(one.name, one.liveness, when(one.last_at), _ago(one.age_seconds)) for one in found]
    show("Senders", ("sender", "state", "last event", "ago"), rows)


@events.command("recent")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
@click.pass_obj
def list_recent(settings: Settings, limit: int) -> None:
    """Show the newest events."""
    with reading(settings) as session:
        found = queries.recent(session, limit=limit)
    rows = [
        (when(one.received_at), one.name or one.type, one.source, json.dumps(one.properties))
        for one in found
    ]
    show("The newest events", ("received", "event", "source", "properties"), rows)


@events.command("rejected")
@click.option("--reason", default="", help="Only those refused for this reason.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
@click.pass_obj
def list_rejected(settings: Settings, reason: str, limit: int) -> None:
    """Show which events were refused and why, with the count of every reason."""
    with reading(settings) as session:
        counts = queries.reasons(session)
        found = queries.rejected(session, reason=reason, limit=limit)
    told = [(str(one.count), one.error, when(one.last_at)) for one in counts]
    show("Reasons", ("events", "why", "last"), told)
    rows = [(when(one.received_at), one.source_key, one.error, one.body) for one in found]
    show("Refused, the newest first", ("received", "sender", "why", "what was sent"), rows)


@events.command("dead-letters")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
@click.pass_obj
def list_dead_letters(settings: Settings, limit: int) -> None:
    """Show what was accepted and the database then refused."""
    with reading(settings) as session:
        found = inbox.dead_letters(session, limit=limit)
    rows = [(when(one.at), one.kind, one.error, one.body) for one in found]
    show("Dead letters, the newest first", ("at", "kind", "why", "what was sent"), rows)


def _ago(seconds: int | None) -> str:
    return "" if seconds is None else str(timedelta(seconds=seconds))
