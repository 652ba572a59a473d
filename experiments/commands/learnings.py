"""What ended experiments taught."""

from pathlib import Path

import click
import numpy as np

from experiments.commands.terminal import (
    EXISTING_FILE,
    changing,
    document,
    open_current,
    operator,
    reading,
    show,
    when,
)
from experiments.learnings import queries, service
from experiments.learnings.schemas import LearningIn, Search
from experiments.settings import Settings
from experiments.shapes import parse


@click.group()
def learning() -> None:
    """What ended experiments taught."""


@learning.command("list")
@click.argument("text", default="")
@click.option("--journey", default="", help="Only of this journey.")
@click.option("--stage", default="", help="Only of this stage.")
@click.option("--touchpoint", default="", help="Only of this touchpoint.")
@click.option("--persona", default="", help="Only for this persona.")
@click.option("--tag", default="", help="Only with this tag.")
@click.option("--strength", default=None, help="Only strong, moderate, weak or void ones.")
@click.option("--due", is_flag=True, help="Only those that should be tested again.")
@click.pass_obj
def list_learnings(settings: Settings, /, **asked: object) -> None:
    """Show the newest learnings that have all words of TEXT and fit the options."""
    wanted, now = parse(Search, asked), open_current(settings).clock.now()
    with reading(settings) as session:
        found = queries.search(session, wanted, now=now)
    rows = [
        (str(item.id), item.statement, item.strength, item.experiment, when(item.review_by))
        for item in found
    ]
    show("Learnings", ("number", "statement", "strength", "experiment", "review by"), rows)


@learning.command("edit")
@click.argument("number", type=int)
@click.argument("file", type=EXISTING_FILE)
@click.pass_obj
def edit_learning(settings: Settings, number: int, file: Path) -> None:
    """Say the learning NUMBER as the YAML or JSON FILE does; its evidence stays."""
    data = document(LearningIn, file)
    with changing(settings) as (session, now):
        service.edit(session, number, data, actor=operator(), now=now)
    click.echo(f"Learning {number} is written again.")


@learning.command("retest")
@click.argument("number", type=int)
@click.pass_obj
def retest(settings: Settings, number: int) -> None:
    """Draft the experiment of the learning NUMBER anew."""
    with changing(settings) as (session, now):
        rng = np.random.default_rng(settings.seed)
        made = service.retest(session, number, rng=rng, actor=operator(), now=now)
    click.echo(f"Experiment {made.key!r} is a draft; check it, then start it.")
