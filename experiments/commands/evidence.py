"""Showing what the gate makes of experiments that other people ran."""

from pathlib import Path

import click

from experiments.clock import SystemClock
from experiments.commands.pages import write_pages
from experiments.commands.progress import counted
from experiments.commands.terminal import show
from experiments.evidence import service
from experiments.evidence.counting import by_period, held, looked
from experiments.evidence.page import held_rows, looked_rows, page
from experiments.evidence.schemas import Evidence


@click.command("evidence")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the documentation, to write the page and the figures into.",
)
@click.option("--tests", type=click.IntRange(1), help="Only so many headline tests, oldest first.")
def evidence(folder: Path, *, out: Path | None, tests: int | None) -> None:
    """Put the public experiments in FOLDER before the real analysis and gate, look by look."""
    found = _judged(folder, tests=tests)
    if found.asos is not None:
        show("Looked at snapshot by snapshot", ("", ""), looked_rows(looked(found.asos.stories)))
    if found.upworthy is not None:
        inside, outside = (held(part) for part in by_period(found.upworthy.stories))
        columns = ("", "warned weeks", "other weeks")
        show("Headline tests", columns, held_rows(inside, outside))
    if out is not None:
        _write(found, out)


def _judged(folder: Path, *, tests: int | None) -> Evidence:
    now = SystemClock().now()
    with counted("shares of the experiments judged") as progress:
        return service.judge_all(folder, tests=tests, now=now, progress=progress)


def _write(found: Evidence, folder: Path) -> None:
    write_pages(
        folder,
        {
            "explanation/what-the-gate-does-on-real-data.md": page(found),
            "reference/evidence.json": found.notable().model_dump_json(indent=1) + "\n",
        },
    )
