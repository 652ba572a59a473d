"""One visitor."""

import json
import sys

import click
from sqlmodel import Session

from experiments.assignment import queries
from experiments.assignment.schemas import AssignmentOut
from experiments.commands.terminal import (
    changing,
    open_current,
    operator,
    reading,
    short,
    show,
    when,
)
from experiments.design import listing
from experiments.erasure import queries as erasures
from experiments.erasure import service as erasure
from experiments.events import queries as events
from experiments.replay import queries as replays
from experiments.replay.proving import prove
from experiments.replay.schemas import ReplayIn
from experiments.settings import Settings
from experiments.shapes import parse

DIFFERS = 1


@click.group()
def visitor() -> None:
    """One visitor: ids, attributes, arms, events."""


@visitor.command("show")
@click.argument("value", metavar="ID")
@click.pass_obj
def show_visitor(settings: Settings, value: str) -> None:
    """Show everything known of the visitor with this ID."""
    with reading(settings) as session:
        found = queries.visitor(session, value)
        arms = _arms(session, found.assignments)
        done = events.visitor_events(session, value)
    click.echo(f"Visitor {value}, first seen {when(found.created_at)}")
    click.echo(f"Ids: {', '.join(found.aliases)}")
    known = [(key, _json(item)) for key, item in found.attributes.items()]
    show("What is known", ("attribute", "value"), known)
    show("Arms", ("experiment", "variant", "since", "by"), arms)
    told = [(when(one.occurred_at), one.name or one.type, _json(one.properties)) for one in done]
    show("What they did, the newest first", ("at", "event", "properties"), told)


@visitor.command("export")
@click.argument("value", metavar="ID")
@click.pass_obj
def export_visitor(settings: Settings, value: str) -> None:
    """Print all that is stored of the visitor with this ID, as JSON."""
    with reading(settings) as session:
        click.echo(erasures.known(session, value).model_dump_json(indent=2))


@visitor.command("erase")
@click.argument("value", metavar="ID")
@click.confirmation_option(prompt="This cannot be undone. Forget this visitor?")
@click.pass_obj
def erase_visitor(settings: Settings, value: str) -> None:
    """Forget the visitor with this ID; late events do not bring them back."""
    with changing(settings) as (session, now):
        erased = erasure.erase(session, value, actor=operator(), now=now)
    click.echo(f"Forgotten. Ids: {erased.ids}, events: {erased.events}.")
    if erased.awaiting_tidy:
        click.echo(f"The job tidy takes {erased.awaiting_tidy} of them out of the files too.")


@visitor.command("replay")
@click.argument("value", metavar="ID")
@click.argument("journey")
@click.argument("touchpoint")
@click.option("--at", required=True, help="The moment, such as 2026-03-02T09:00:00Z.")
@click.pass_obj
def replay_visitor(settings: Settings, value: str, journey: str, touchpoint: str, at: str) -> None:
    """Show what the visitor with this ID would have been shown at TOUCHPOINT of JOURNEY."""
    asked = {"visitor": value, "journey": journey, "touchpoint": touchpoint, "at": at}
    with reading(settings) as session:
        found = replays.replay(session, parse(ReplayIn, asked))
    rows = [
        (slot, short(item.value), item.source, item.reason) for slot, item in found.slots.items()
    ]
    title = f"{touchpoint} at {when(found.at)}, version {found.journey_version}"
    show(title, ("slot", "would have shown", "from", "why"), rows)
    really = [
        (when(one.at), ", ".join(f"{s}: {a.source} {a.origin}" for s, a in one.answers.items()))
        for one in found.logged
    ]
    show("Logged on that day", ("at", "answered"), really)


@visitor.command("replay-log")
@click.pass_obj
def replay_log(settings: Settings) -> None:
    """Ask every logged question again; exit code 1 when an answer differs."""
    found = prove(open_current(settings).engine)
    rows = [
        (when(one.at), one.visitor, f"{one.journey}/{one.touchpoint}", str(one.ruleset))
        for one in found.differing
    ]
    if rows:
        show("Answers that differ", ("at", "visitor", "where", "change"), rows)
    click.echo(f"{found.equal:,} of {found.logged:,} logged answers are given again.")
    if found.equal < found.logged:
        sys.exit(DIFFERS)


def _arms(session: Session, assignments: list[AssignmentOut]) -> list[tuple[str, str, str, str]]:
    ids = [item.experiment_id for item in assignments]
    tests, arms = listing.lines_of(session, ids), listing.arms_of(session, ids)
    return [
        (
            tests[item.experiment_id].key,
            arms[item.variant_id].called + (" (seen in two arms)" if item.contaminated else ""),
            when(item.assigned_at),
            f"{item.method}, bucket {item.bucket}",
        )
        for item in assignments
    ]


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
