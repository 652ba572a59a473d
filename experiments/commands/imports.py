"""Bringing in data from files."""

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import click

from experiments.analysis.schemas import RunOut, SampleRatio
from experiments.commands.progress import counted
from experiments.commands.terminal import EXISTING_FILE, open_current, operator, show
from experiments.database import transaction
from experiments.decisions.service import decide
from experiments.errors import ConflictError
from experiments.imports import service
from experiments.imports.looks import look
from experiments.imports.mapping import read_mapping
from experiments.imports.schemas import ImportSummary, PreviewRow
from experiments.runtime import Runtime
from experiments.settings import Settings


@click.command("import")
@click.argument("mapping", type=EXISTING_FILE)
@click.argument("file", type=EXISTING_FILE)
@click.option("--dry-run", is_flag=True, help="Show the first rows as they would be read.")
@click.option(
    "--rejected",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where rows go that cannot be used; beside FILE when not given.",
)
@click.pass_obj
def import_file(
    settings: Settings, mapping: Path, file: Path, *, dry_run: bool, rejected: Path | None
) -> None:
    """Bring in a CSV or Parquet FILE as its MAPPING says, then analyse and decide."""
    rules = read_mapping(mapping)
    if dry_run:
        _show_preview(service.preview(rules, file))
        return
    runtime = open_current(settings)
    with counted("rows stored") as progress:
        summary = service.run(
            runtime.engine,
            rules,
            file,
            refused_path=rejected,
            rng=runtime.rng,
            actor=operator(),
            now=runtime.clock.now(),
            progress=progress,
        )
    _show_summary(summary)
    if summary.experiments:
        _show_looks(_looked_at(runtime, summary.experiments))


def _looked_at(runtime: Runtime, keys: Sequence[str]) -> list[RunOut]:
    """The newest look at each experiment, put before the gate."""
    found = []
    with counted("experiments analysed") as progress:
        for number, key in enumerate(keys, start=1):
            now = runtime.clock.now()
            found.append(look(runtime.engine, key, now=now))
            # An experiment that was decided before stays decided.
            with suppress(ConflictError), transaction(runtime.engine) as session:
                decide(session, key, actor=operator(), now=now)
            progress(number, len(keys))
    return found


def _show_preview(rows: Sequence[PreviewRow]) -> None:
    told = [
        (str(row.line), row.problem or "; ".join(f"{k}: {v}" for k, v in row.reading.items() if v))
        for row in rows
    ]
    show("The first rows as they would be read; nothing was written", ("line", "reads as"), told)


def _show_summary(summary: ImportSummary) -> None:
    click.echo(
        f"{summary.rows} rows of {summary.kind}: {summary.stored} stored, "
        f"{summary.repeated} there already, {summary.rejected} rejected."
    )
    for reason, count in summary.reasons.items():
        click.echo(f"  {count} {reason.value}")
    if summary.rejected_file:
        click.echo(f"The rejected rows, with the reasons, are in {summary.rejected_file}")


def _show_looks(looks: Sequence[RunOut]) -> None:
    ratios = [run.readout.quality.sample_ratio for run in looks]
    verdicts = Counter(_verdict(ratio) for ratio in ratios)
    told = ", ".join(f"{count} {verdict}" for verdict, count in verdicts.most_common())
    click.echo(f"{len(looks)} experiments analysed; sample ratio: {told}.")


def _verdict(ratio: SampleRatio) -> str:
    if ratio.alarm:
        return "alarm"
    return "warning" if ratio.warning else "as planned"
