"""The weekly report on the command line."""

import json
from pathlib import Path

import click

from experiments.audit.schemas import Actor
from experiments.commands.terminal import changing, open_current, operator, reading, show
from experiments.delivery import service as delivery
from experiments.delivery.couriers import bring
from experiments.delivery.schemas import Channel, Message
from experiments.errors import NotFoundError
from experiments.mailings import service as mailings
from experiments.mailings.document import pdf
from experiments.mailings.text import plain
from experiments.reports import queries, service
from experiments.reports.schemas import ReportOut
from experiments.reports.sharing import ShareIn
from experiments.reports.sharing import share as share_report
from experiments.reports.telling import tell
from experiments.runtime import Runtime
from experiments.settings import Settings
from experiments.shapes import parse

NOTHING_YET = "There is nothing to report yet; the first report is of the week that runs now."
TARGETS = {"email": Channel.MAIL, "slack": Channel.SLACK}


@click.group()
def report() -> None:
    """The weekly report."""


@report.command("list")
@click.pass_obj
def list_reports(settings: Settings) -> None:
    """List the weeks that have a report."""
    with reading(settings) as session:
        found = queries.reports(session)
    show("Reports", ("week", "headline"), [(item.week, item.body.headline) for item in found])


@report.command("show")
@click.argument("week", required=False)
@click.option("--so-far", is_flag=True, help="How the running week stands; nothing is written.")
@click.pass_obj
def show_report(settings: Settings, /, *, week: str | None, so_far: bool) -> None:
    """Print the report of a WEEK such as 2026-W09; of the week that ended last if not given."""
    with changing(settings) as (session, now):
        if so_far:
            running = service.so_far(session, now=now)
            click.echo(plain(tell(running, queries.since_last(session, running), final=False)))
            return
        made = queries.report(session, week) if week else service.weekly(session, now=now)
        told = NOTHING_YET if made is None else plain(mailings.letter_for(session, made))
    click.echo(told)


@report.command("weekly")
@click.option("--to", "target", type=click.Choice(["file", "email", "slack"]), required=True)
@click.option("--week", default="", help="Such as 2026-W09; the week that ended last if not given.")
@click.option("--journey", default="", help="Only this journey, in files.")
@click.option("--folder", type=click.Path(file_okay=False, path_type=Path), default=Path())
@click.option("--dry-run", is_flag=True, help="Say what would be written or sent, and do nothing.")
@click.pass_obj
def weekly_report(
    settings: Settings, /, *, target: str, week: str, journey: str, folder: Path, dry_run: bool
) -> None:
    """Write the report to files, or send it now to every audience that gets it this way.

    An audience that has it already does not get it again.
    """
    opened = open_current(settings)
    with changing(settings) as (session, now):
        made = service.weekly(session, now=now, week=week)
    if made is None:
        click.echo(NOTHING_YET)
    elif target == "file":
        _write(opened, made, journey=journey, folder=folder, dry_run=dry_run)
    else:
        _send(opened, made, TARGETS[target], actor=operator(), dry_run=dry_run)


@report.command("verify")
@click.argument("week")
@click.pass_obj
def verify_report(settings: Settings, week: str) -> None:
    """Work the report of a WEEK out anew and hold it against what was written."""
    with reading(settings) as session:
        written = queries.report(session, week)
        anew = service.compile_body(
            session, week, as_of=written.as_of, simulated=written.body.simulated
        )
    if service.fingerprint(anew) != written.data_hash:
        message = f"{week} comes out differently from the stored inputs."
        raise click.ClickException(message)
    click.echo(f"{week} comes out the same: {written.data_hash}")


@report.command("share")
@click.argument("week")
@click.option("--days", type=int, default=30, show_default=True)
@click.pass_obj
def make_link(settings: Settings, week: str, days: int) -> None:
    """Make a link to the report of a WEEK for people who do not sign in."""
    asked = parse(ShareIn, {"days": days})
    with changing(settings) as (session, now):
        made = share_report(session, week, asked, actor=operator(), now=now)
    click.echo(f"{settings.base_url}{made.path}")


def _write(opened: Runtime, made: ReportOut, *, journey: str, folder: Path, dry_run: bool) -> None:
    with reading(opened.settings) as session:
        letter = mailings.letter_for(session, made, journey)
    name = f"report-{made.week}{'-' + journey if journey else ''}"
    files = {
        folder / f"{name}.pdf": pdf(letter, written_at=made.created_at),
        folder / f"{name}.txt": plain(letter).encode(),
        folder / f"{name}.json": made.model_dump_json(indent=2).encode(),
    }
    for path, content in files.items():
        if not dry_run:
            folder.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        click.echo(f"{'would write' if dry_run else 'wrote'} {path} ({len(content)} bytes)")


def _send(
    opened: Runtime, made: ReportOut, channel: Channel, *, actor: Actor, dry_run: bool
) -> None:
    now = opened.clock.now()
    with reading(opened.settings) as session:
        found = [
            message
            for item in mailings.subscriptions(session)
            for message in mailings.messages(session, made, item, opened.settings, now=now)
            if message.channel is channel
        ]
    if not found:
        raise NotFoundError("audience that gets the report by", channel)
    if dry_run:
        for message in found:
            _tell(message)
        return
    with changing(opened.settings) as (session, _):
        written = sum(delivery.enqueue(session, message, now=now) for message in found)
    counts = delivery.send_due(
        opened.engine,
        lambda parcel: bring(parcel, opened.settings, now=now),
        actor=actor,
        now=now,
    )
    had = len(found) - written
    click.echo(f"{counts['sent']} sent, {counts['not taken']} not taken, {had} had it already.")


def _tell(message: Message) -> None:
    size = len(message.content.encode())
    click.echo(f"would send to {message.recipient} ({size} bytes): {message.subject}")
    if message.channel is Channel.SLACK:
        click.echo(json.dumps(json.loads(message.content), indent=2, ensure_ascii=False))
