"""The weekly report on the command line."""

import click

from experiments.commands.terminal import changing, reading, show
from experiments.reports import queries, service
from experiments.reports.schemas import Body, ReportOut
from experiments.settings import Settings


@click.command("report")
@click.argument("week", required=False)
@click.option("--list", "listed", is_flag=True, help="List the weeks that have a report.")
@click.option("--so-far", is_flag=True, help="How the running week stands; nothing is written.")
@click.pass_obj
def report(settings: Settings, /, *, week: str | None, listed: bool, so_far: bool) -> None:
    """Print the report of a WEEK such as 2026-W09; of the week that ended last if not given."""
    if listed:
        with reading(settings) as session:
            found = queries.reports(session)
        show("Reports", ("week", "headline"), [(item.week, item.body.headline) for item in found])
        return
    with changing(settings) as (session, now):
        if so_far:
            made: ReportOut | None = service.so_far(session, now=now)
        else:
            made = queries.report(session, week) if week else service.weekly(session, now=now)
    if made is None:
        click.echo("There is nothing to report yet; the first report is of the week that runs now.")
        return
    click.echo(f"Week {made.week}, as of {made.as_of:%Y-%m-%d %H:%M} UTC ({made.data_hash[:12]})")
    click.echo(made.body.headline)
    _tell(made.body)


def _tell(body: Body) -> None:
    changes = [
        f"{item.name}: version {item.version} by {item.by}. {item.reason}" for item in body.changes
    ]
    for title, lines in (
        ("What changed in the standard journeys", changes),
        ("Promoted", [item.sentence for item in body.promoted]),
        ("Did harm", [item.sentence for item in body.harmful]),
        ("Nothing to conclude", [item.sentence for item in body.nothing_to_conclude]),
        ("Taken back", [f"{item.variant} of {item.name}" for item in body.taken_back]),
        ("Waiting", [f"{item.name}: {item.needs}" for item in body.waiting]),
        ("Alarms", [f"{item.name}: {item.sentence}" for item in body.alarms]),
    ):
        if lines:
            click.echo(f"\n{title}")
            click.echo("\n".join(f"  - {line}" for line in lines))
