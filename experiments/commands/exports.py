"""Taking data out, into files."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter

import click
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from experiments.commands.terminal import console, open_current
from experiments.errors import InvalidError
from experiments.exports.schemas import Format, Part, Period
from experiments.exports.service import export
from experiments.settings import Settings
from experiments.shapes import parse

ALL = "all"
PARTS = click.Choice([*(part.value for part in Part), ALL])
FORMATS = click.Choice([form.value for form in Format])


@click.command("export")
@click.argument("part", type=PARTS)
@click.argument("target", type=click.Path(path_type=Path))
@click.option("--format", "form", type=FORMATS, help="For a folder; a file's ending says it.")
@click.option("--since", help="Rows from then on, such as 2026-03-02T00:00:00Z.")
@click.option("--until", help="Rows before then.")
@click.pass_obj
def export_files(
    settings: Settings,
    part: str,
    target: Path,
    form: str | None,
    since: str | None,
    until: str | None,
) -> None:
    """Write a PART of the data, or all, as NDJSON or Parquet to a file or folder TARGET.

    Nothing is overwritten.
    """
    period = parse(Period, {"since": since, "until": until})
    runtime = open_current(settings)
    for each in Part if part == ALL else (Part(part),):
        path, told = _place(each, target, form, is_folder=part == ALL or target.is_dir())
        begun = perf_counter()
        with _bar(each) as progress:
            rows = export(
                runtime.engine,
                each,
                path,
                form=told,
                period=period,
                now=runtime.clock.now(),
                progress=progress,
            )
        rate = rows / (perf_counter() - begun)
        click.echo(f"{rows:,} {each} in {path} ({rate:,.0f} a second)")


def _place(part: Part, target: Path, form: str | None, *, is_folder: bool) -> tuple[Path, Format]:
    """Which file is written, and how."""
    if is_folder:
        chosen = Format(form or Format.NDJSON)
        return target / f"{part}.{chosen}", chosen
    ending = target.suffix.removeprefix(".")
    if form is None and ending not in set(Format):
        message = "must end in .ndjson or .parquet, or be a folder; or say --format"
        raise InvalidError.at("/target", message)
    return target, Format(form or ending)


@contextmanager
def _bar(part: Part) -> Iterator[Callable[[int], None]]:
    columns = (SpinnerColumn(), TextColumn("{task.completed:,.0f} {task.description}"))
    with Progress(
        *columns,
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as bar:
        task = bar.add_task(part, total=None)
        yield lambda rows: bar.update(task, completed=rows)
