"""Journeys and their versions."""

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
    text,
    when,
)
from experiments.decisions.blame import blame
from experiments.errors import InvalidError, Problem
from experiments.journeys import documents, queries, service
from experiments.journeys.operations import JourneyPatch
from experiments.journeys.previews import PatchPreviewIn, preview
from experiments.journeys.schemas import InFlight, Stage, TemplateIn, Touchpoint, VersionIn
from experiments.settings import Settings
from experiments.shapes import parse


@click.group()
def journey() -> None:
    """Journeys and their versions."""


@journey.command("list")
@click.pass_obj
def list_journeys(settings: Settings) -> None:
    """Show every journey."""
    with reading(settings) as session:
        found = queries.journeys(session)
    rows = [(item.key, item.name, str(item.standard or "-"), str(item.versions)) for item in found]
    show("Journeys", ("key", "name", "standard version", "versions"), rows)


@journey.command("create")
@click.argument("file", type=EXISTING_FILE, required=False)
@click.option("--template", help="Start from a template instead of a file.")
@click.option("--key", help="Key of the journey made from a template.")
@click.option("--name", help="Name of the journey made from a template.")
@click.pass_obj
def create_journey(
    settings: Settings, file: Path | None, template: str | None, key: str | None, name: str | None
) -> None:
    """Create a journey from a YAML or JSON FILE, or from a template."""
    if (file is None) == (template is None):
        raise InvalidError.at("/file", "give either a file or --template with --key and --name")
    with changing(settings) as (session, now):
        if file is not None:
            data = documents.read(text(file))
            made = service.create(session, data, actor=operator(), now=now)
        else:
            asked = parse(TemplateIn, {"template": template, "key": key, "name": name or key})
            made = service.create_from_template(session, asked, actor=operator(), now=now)
    click.echo(f"Journey {made.key!r} has version 1 as a draft; publish it to make it standard.")


@journey.command("show")
@click.argument("key")
@click.option("--version", "number", type=int, help="The standard version if not given.")
@click.pass_obj
def show_journey(settings: Settings, key: str, number: int | None) -> None:
    """Show the map of a version."""
    with reading(settings) as session:
        number = number or queries.journey(session, key).standard or 1
        version = queries.version(session, key, number)
    rows = [row for stage in version.graph.stages for row in _stage_rows(stage)]
    title = f"{key} version {version.number} ({version.status})"
    show(title, ("stage", "goal metric", "touchpoint", "shows"), rows)


@journey.command("diff")
@click.argument("key")
@click.argument("before", type=int)
@click.argument("after", type=int)
@click.pass_obj
def diff_journey(settings: Settings, key: str, before: int, after: int) -> None:
    """Show what differs between two versions."""
    with reading(settings) as session:
        changes = queries.diff(session, key, before, after)
    rows = [(item.kind, item.path, short(item.before), short(item.after)) for item in changes]
    show(f"{key}: {before} -> {after}", ("change", "where", "before", "after"), rows)


@journey.command("patch")
@click.argument("key")
@click.argument("file", type=EXISTING_FILE)
@click.option("--version", "number", type=int, help="The standard version if not given.")
@click.option("--check", is_flag=True, help="Only say whether it fits; draft nothing.")
@click.pass_obj
def patch_journey(
    settings: Settings, key: str, file: Path, number: int | None, *, check: bool
) -> None:
    """Try the patch in a YAML or JSON FILE on a version, and draft the map that results."""
    asked = PatchPreviewIn(patch=document(JourneyPatch, file), version=number)
    with reading(settings) as session:
        found = preview(session, key, asked)
    rows = [(item.kind, item.path, short(item.before), short(item.after)) for item in found.changes]
    title = f"{key} version {found.version}, patched"
    show(title, ("change", "where", "before", "after"), rows)
    if found.divergence is None:
        click.echo("The paths have no stage in common before they part.")
    else:
        asked_first = ", ".join(found.divergence.touchpoints) or "no touchpoint"
        click.echo(f"The paths part in {found.divergence.stage!r}, first seen at {asked_first}.")
        click.echo(f"Later stages in common: {', '.join(found.common_stages) or 'none'}.")
    if found.problems:
        raise InvalidError([Problem(item.pointer, item.detail) for item in found.problems])
    if check:
        return
    with changing(settings) as (session, now):
        draft = VersionIn(graph=found.graph, note=f"Patched version {found.version}.")
        made = service.draft_version(session, key, draft, actor=operator(), now=now)
    click.echo(f"Journey {key!r} has version {made.number} as a draft.")


@journey.command("draft")
@click.argument("key")
@click.argument("file", type=EXISTING_FILE)
@click.option("--note", default="", help="What this version is for.")
@click.pass_obj
def draft_version(settings: Settings, key: str, file: Path, note: str) -> None:
    """Write the map in FILE as a new draft version."""
    data = documents.read(text(file))
    with changing(settings) as (session, now):
        made = service.draft_version(
            session, key, VersionIn(graph=data.graph, note=note), actor=operator(), now=now
        )
    click.echo(f"Journey {key!r} has version {made.number} as a draft.")


@journey.command("blame")
@click.argument("key")
@click.option("--node", default="", help="Such as touchpoints/hero/slots/headline.")
@click.pass_obj
def blame_journey(settings: Settings, key: str, node: str) -> None:
    """Show why each node of the standard of the journey KEY is what it is."""
    with reading(settings) as session:
        found = blame(session, key, node=node)
    rows = [
        (item.node, item.content or "", str(item.version), when(item.at), item.by, item.reason)
        for item in found
    ]
    show(f"Origins of {key}", ("node", "shows", "since version", "at", "by", "why"), rows)


@journey.command("publish")
@click.argument("key")
@click.argument("number", type=int)
@click.option("--reason", required=True)
@click.option(
    "--in-flight",
    type=click.Choice([choice.value for choice in InFlight]),
    default=InFlight.NOW.value,
    show_default=True,
    help="Whether people under way change path.",
)
@click.pass_obj
def publish_version(settings: Settings, key: str, number: int, reason: str, in_flight: str) -> None:
    """Make a version the standard."""
    with changing(settings) as (session, now):
        made = service.publish(
            session,
            key,
            number,
            reason=reason,
            in_flight=InFlight(in_flight),
            actor=operator(),
            now=now,
        )
    click.echo(f"Version {made.number} of {key!r} is the standard.")


@journey.command("revert")
@click.argument("key")
@click.argument("number", type=int)
@click.option("--reason", required=True)
@click.pass_obj
def revert_journey(settings: Settings, key: str, number: int, reason: str) -> None:
    """Publish the map of an earlier version again, as a new version."""
    with changing(settings) as (session, now):
        made = service.revert(session, key, number, reason=reason, actor=operator(), now=now)
    click.echo(f"Version {made.number} of {key!r} is the standard, with the map of {number}.")


def _stage_rows(stage: Stage) -> list[tuple[str, str, str, str]]:
    points = [(f"{point.name} ({point.key})", _slots(point)) for point in stage.touchpoints] or [
        ("", "")
    ]
    return [(stage.name, stage.goal_metric, *point) for point in points]


def _slots(point: Touchpoint) -> str:
    return ", ".join(f"{slot.key}: {slot.content}@{slot.content_version}" for slot in point.slots)
