"""Whether every event that came in is where analyses read."""

import sys

import click

from experiments.columnar.schemas import DayOut, HealthOut
from experiments.commands.terminal import open_current, operator, show
from experiments.jobs.doctor import examine, mend
from experiments.settings import Settings

WRONG = 1


@click.command()
@click.option("--repair", is_flag=True, help="Write the files of days with something wrong anew.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def doctor(settings: Settings, *, repair: bool, as_json: bool) -> None:
    """Check the way from the inbox to the files, row by row; exit code 1 if something is wrong."""
    runtime = open_current(settings)
    found = examine(runtime)
    if repair and (mended := mend(runtime, found, actor=operator())):
        click.echo(f"Wrote the files of {mended} days anew.", err=True)
        found = examine(runtime)
    if as_json:
        click.echo(found.model_dump_json(indent=2))
    else:
        _tell(found)
    if not found.is_well:
        sys.exit(WRONG)


def _tell(found: HealthOut) -> None:
    columns = ("rows", "day", "files", "in SQL", "in files", "missing", "twice", "surplus", "")
    show("From SQL to files", columns, [_line(day, found) for day in found.days])
    for kind, count in found.waiting.items():
        click.echo(f"{count} {kind}s wait to be moved.")
    for trouble in found.troubles:
        click.echo(f"Wrong: {trouble.words}. {trouble.remedy[0].upper()}{trouble.remedy[1:]}.")
    if found.is_well:
        click.echo("All is well.")


def _line(day: DayOut, found: HealthOut) -> tuple[str, ...]:
    is_wrong = any(trouble.day == day for trouble in found.troubles)
    counts = (day.files, day.in_sql, day.in_files, day.missing, day.doubled, day.surplus)
    numbers = (f"{count:,}" for count in counts)
    return day.kind, day.day.isoformat(), *numbers, "wrong" if is_wrong else "well"
