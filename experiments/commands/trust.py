"""Whether figures can be believed: the trust lights, and the platform's own A/A."""

from datetime import timedelta

import click

from experiments.aa.queries import aa
from experiments.commands.deciding import light
from experiments.commands.terminal import changing, show, when
from experiments.reports.trust import lights
from experiments.settings import Settings

RECENT = timedelta(days=7)


@click.group()
def trust() -> None:
    """Whether figures can be believed."""


@trust.command("lights")
@click.pass_obj
def show_lights(settings: Settings) -> None:
    """Show the light of every test that is under way or was looked at this week."""
    with changing(settings) as (session, now):
        found = lights(session, since=now - RECENT, until=now)
    show("Trust", ("experiment", "light"), [(key, light(item)) for key, item in found.items()])


@trust.command("aa")
@click.pass_obj
def show_aa(settings: Settings) -> None:
    """Show the own A/A: how often the gate would have promoted what differs in nothing."""
    with changing(settings) as (session, now):
        found = aa(session, now=now)
    rows = [
        (
            when(week.started_at),
            week.journey,
            f"{week.visitors:,}",
            f"{week.promoted_looks} of {week.looks}",
            "finished" if week.finished else "goes on",
            "" if week.trust is None else light(week.trust),
        )
        for week in found.weeks
    ]
    columns = ("newcomers from", "journey", "visitors", "looks that promote", "state", "light")
    show("The own A/A", columns, rows)
    click.echo(f"{found.verdict.upper()} {found.words}")
