"""Proving the error rates on simulated experiments."""

import sys
import time
from pathlib import Path

import click

from experiments.calibration import service
from experiments.calibration.page import figure, limit, page, verdict
from experiments.calibration.schemas import Report, Table
from experiments.commands.pages import write_pages
from experiments.commands.progress import counted
from experiments.commands.terminal import show

MISSED = 1


@click.command("calibrate")
@click.option(
    "--quick", is_flag=True, help="Few experiments: two minutes instead of more than an hour."
)
@click.option("--seed", type=click.IntRange(0), default=20260105, show_default=True)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the documentation, to write the page and the figures into.",
)
def calibrate(*, quick: bool, seed: int, out: Path | None) -> None:
    """Run the real analysis and gate on simulated experiments with a known truth.

    Prints every figure with its Monte-Carlo error and its limit; a full run that misses a limit
    ends with exit code 1.
    """
    began = time.perf_counter()
    tables = _run(quick=quick, seed=seed)
    seconds = time.perf_counter() - began
    report = Report(quick=quick, seed=seed, seconds=seconds, tables=tables)
    for table in tables:
        _show(table)
    if out is not None:
        _write(report, out)
    for row in report.missed:
        click.echo(f"Missed: {row.name} is {figure(row.figure)}, {limit(row)}.")
    if report.missed and not quick:
        sys.exit(MISSED)


def _run(*, quick: bool, seed: int) -> list[Table]:
    with counted("batches drawn") as progress:
        return service.run(quick=quick, seed=seed, progress=progress)


def _show(table: Table) -> None:
    rows = [
        (row.name, figure(row.figure), figure(row.se), limit(row), verdict(row).strip("*"))
        for row in table.rows
    ]
    show(
        f"{table.title} ({table.experiments:,} experiments)",
        ("figure", "value", "s.e.", "limit", ""),
        rows,
    )


def _write(report: Report, folder: Path) -> None:
    write_pages(
        folder,
        {
            "explanation/calibration.md": page(report),
            "reference/calibration.json": report.model_dump_json(indent=2) + "\n",
        },
    )
