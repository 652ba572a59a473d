"""The catalogue of metrics."""

from pathlib import Path

import click

from experiments.commands.terminal import (
    EXISTING_FILE,
    changing,
    document,
    operator,
    reading,
    show,
)
from experiments.metrics import queries, service
from experiments.metrics.schemas import MetricIn
from experiments.settings import Settings


@click.group()
def metric() -> None:
    """The catalogue of metrics."""


@metric.command("list")
@click.pass_obj
def list_metrics(settings: Settings) -> None:
    """Show every metric."""
    with reading(settings) as session:
        found = queries.metrics(session)
    rows = [
        (item.key, item.name, item.kind, item.rule.event, f"{item.window_hours} h", item.direction)
        for item in found
    ]
    show("Metrics", ("key", "name", "kind", "event", "window", "better is"), rows)


@metric.command("create")
@click.argument("file", type=EXISTING_FILE)
@click.pass_obj
def create_metric(settings: Settings, file: Path) -> None:
    """Add the metric in a YAML or JSON FILE to the catalogue."""
    data = document(MetricIn, file)
    with changing(settings) as (session, now):
        made = service.create(session, data, actor=operator(), now=now)
    click.echo(f"Metric {made.key!r} is in the catalogue.")


@metric.command("update")
@click.argument("key")
@click.argument("file", type=EXISTING_FILE)
@click.option("--reason", required=True)
@click.pass_obj
def update_metric(settings: Settings, key: str, file: Path, reason: str) -> None:
    """Correct the metric KEY to what FILE says; stored analyses stay as they are."""
    data = document(MetricIn, file)
    with changing(settings) as (session, now):
        service.update(session, key, data, reason=reason, actor=operator(), now=now)
    click.echo(f"Metric {key!r} is corrected; the next analyses use it.")
