"""What people must be told."""

import click

from experiments.commands.terminal import changing, operator, reading, show, when
from experiments.notifications import queries, service
from experiments.settings import Settings


@click.group()
def notification() -> None:
    """What people must be told."""


@notification.command("list")
@click.option("--all", "everything", is_flag=True, help="Also what somebody has read.")
@click.pass_obj
def list_notifications(settings: Settings, *, everything: bool) -> None:
    """Show what nobody has read yet, the newest first."""
    with reading(settings) as session:
        found = queries.notifications(session, unread=not everything)
    rows = [
        (
            str(item.id),
            when(item.at),
            item.severity,
            item.subject_key,
            item.what,
            item.read_by or "",
        )
        for item in found
    ]
    show("Notifications", ("number", "at", "severity", "about", "what", "read by"), rows)


@notification.command("read")
@click.argument("number", type=int)
@click.pass_obj
def read_notification(settings: Settings, number: int) -> None:
    """Note that the notification NUMBER has been read."""
    with changing(settings) as (session, now):
        noted = service.mark_read(session, number, actor=operator(), now=now)
    click.echo(f"Notification {noted.id} is read.")
