"""Layers and holdouts: what keeps visitors apart."""

from pathlib import Path

import click
import numpy as np

from experiments.analysis.schemas import Estimate
from experiments.commands.terminal import (
    EXISTING_FILE,
    changing,
    document,
    operator,
    reading,
    show,
    when,
)
from experiments.decisions.shipped import shipped
from experiments.design import exclusion, queries, usage
from experiments.design.schemas import HoldoutIn, LayerIn
from experiments.formats import lift
from experiments.settings import Settings
from experiments.shapes import parse
from stats.results import NotEstimable


@click.group()
def layer() -> None:
    """Layers, whose experiments exclude each other."""


@layer.command("list")
@click.pass_obj
def list_layers(settings: Settings) -> None:
    """Show every layer with the experiments in its parts."""
    with reading(settings) as session:
        layers, placed = queries.layers(session), usage.placed(session)
    rows = [
        (item.key, item.name, ", ".join(_part(part) for part in placed.get(item.key, ())))
        for item in layers
    ]
    show("Layers", ("key", "name", "experiments"), rows)


@layer.command("create")
@click.argument("key")
@click.option("--name", required=True)
@click.pass_obj
def create_layer(settings: Settings, key: str, name: str) -> None:
    """Make the layer KEY."""
    data = parse(LayerIn, {"key": key, "name": name})
    with changing(settings) as (session, now):
        rng = np.random.default_rng(settings.seed)
        exclusion.create_layer(session, data, rng=rng, actor=operator(), now=now)
    click.echo(f"Layer {key!r} is made; give experiments a place in it.")


@click.group()
def holdout() -> None:
    """Holdouts, whose visitors take part in no experiment."""


@holdout.command("list")
@click.pass_obj
def list_holdouts(settings: Settings) -> None:
    """Show every holdout, ended ones too."""
    with reading(settings) as session:
        found = queries.holdouts(session)
    rows = [
        (item.key, item.name, item.journey, f"{item.share:.2%}", when(item.ended_at))
        for item in found
    ]
    show("Holdouts", ("key", "name", "journey", "share", "ended"), rows)


@holdout.command("compare")
@click.pass_obj
def compare_holdouts(settings: Settings) -> None:
    """Show what everything shipped brought, beside the sum of what the promotions claim."""
    with changing(settings) as (session, now):
        found = shipped(session, as_of=now)
    rows = [
        (item.holdout, item.metric_name, _effect(item.measured), _effect(item.claimed))
        for item in found
    ]
    show("All shipped against the status quo", ("holdout", "metric", "measured", "claimed"), rows)


@holdout.command("create")
@click.argument("file", type=EXISTING_FILE)
@click.pass_obj
def create_holdout(settings: Settings, file: Path) -> None:
    """Keep visitors out of every experiment as a YAML or JSON FILE says."""
    data = document(HoldoutIn, file)
    with changing(settings) as (session, now):
        rng = np.random.default_rng(settings.seed)
        made = exclusion.create_holdout(session, data, rng=rng, actor=operator(), now=now)
    click.echo(f"Holdout {made.key!r} keeps {made.share:.2%} out of every experiment.")


@holdout.command("end")
@click.argument("key")
@click.option("--reason", required=True)
@click.pass_obj
def end_holdout(settings: Settings, key: str, reason: str) -> None:
    """Let the visitors of the holdout KEY take part again."""
    with changing(settings) as (session, now):
        exclusion.end_holdout(session, key, reason=reason, actor=operator(), now=now)
    click.echo(f"Holdout {key!r} has ended.")


def _part(part: usage.Placed) -> str:
    return f"{part.key} {part.start:.0%} to {part.end:.0%} ({part.status})"


def _effect(effect: Estimate | NotEstimable) -> str:
    if isinstance(effect, NotEstimable):
        return str(effect)
    return f"{lift(effect.value)} ({lift(effect.ci_low)} to {lift(effect.ci_high)})"
