"""Experiments, from draft to their end."""

import sys
from collections.abc import Callable
from pathlib import Path

import click
import numpy as np

from experiments.commands.terminal import (
    BAD_INPUT,
    EXISTING_FILE,
    changing,
    document,
    operator,
    reading,
    show,
    when,
)
from experiments.decisions import ramping
from experiments.design import queries, service
from experiments.design.schemas import ExperimentIn, ExperimentOut, PhaseIn, Severity
from experiments.settings import Settings


@click.group()
def experiment() -> None:
    """Experiments, from draft to decision."""


@experiment.command("list")
@click.pass_obj
def list_experiments(settings: Settings) -> None:
    """Show every experiment."""
    with reading(settings) as session:
        found = queries.experiments(session)
    rows = [(item.key, item.name, item.status, when(item.started_at)) for item in found]
    show("Experiments", ("key", "name", "status", "started"), rows)


@experiment.command("create")
@click.argument("file", type=EXISTING_FILE)
@click.pass_obj
def create_experiment(settings: Settings, file: Path) -> None:
    """Create a draft from a YAML or JSON FILE."""
    data = document(ExperimentIn, file)
    with changing(settings) as (session, now):
        rng = np.random.default_rng(settings.seed)
        made = service.create(session, data, actor=operator(), now=now, rng=rng)
    click.echo(f"Experiment {made.key!r} is a draft; check it, then start it.")


@experiment.command("edit")
@click.argument("key")
@click.argument("file", type=EXISTING_FILE)
@click.pass_obj
def edit_experiment(settings: Settings, key: str, file: Path) -> None:
    """Write the draft KEY again, as a YAML or JSON FILE says."""
    data = document(ExperimentIn, file)
    with changing(settings) as (session, now):
        service.edit(session, key, data, actor=operator(), now=now)
    click.echo(f"The draft {key!r} is written again; check it, then start it.")


@experiment.command("phase")
@click.argument("key")
@click.argument("file", type=EXISTING_FILE)
@click.pass_obj
def open_phase(settings: Settings, key: str, file: Path) -> None:
    """Go on with the coverage or weights that FILE says, as a new phase of the experiment KEY."""
    data = document(PhaseIn, file)
    with changing(settings) as (session, now):
        changed = service.open_phase(session, key, data, actor=operator(), now=now)
    click.echo(f"Phase {changed.phases[-1].number} of {key!r} is open.")


@experiment.command("check")
@click.argument("key")
@click.pass_obj
def check_experiment(settings: Settings, key: str) -> None:
    """Say what is wrong or doubtful; exit code 2 when something forbids the start."""
    with reading(settings) as session:
        findings = queries.check(session, key)
    rows = [(item.severity, item.field, item.message) for item in findings]
    show(f"Checks of {key}", ("severity", "field", "what to do"), rows)
    if any(item.severity is Severity.ERROR for item in findings):
        sys.exit(BAD_INPUT)


@experiment.command("ramp")
@click.argument("key")
@click.pass_obj
def show_ramp(settings: Settings, key: str) -> None:
    """Show the next step of the ramp of the experiment KEY, and what it waits for."""
    with changing(settings) as (session, now):
        found = ramping.waiting(session, key, now=now)
    if found is None:
        click.echo(f"No step of a ramp of {key!r} is left.")
        return
    rows = [(gate.gate, "open" if gate.open else "waits", gate.words) for gate in found.gates]
    title = f"{key}, step {found.step} of {found.steps}: {found.coverage:.0%} of the visitors"
    show(title, ("gate", "state", "in words"), rows)


@experiment.command("approve-step")
@click.argument("key")
@click.pass_obj
def approve_step(settings: Settings, key: str) -> None:
    """Approve the next step of the ramp of the experiment KEY; its other gates remain."""
    with changing(settings) as (session, now):
        found = ramping.approve_step(session, key, actor=operator(), now=now)
    click.echo(f"Step {found.step} of {found.steps} is approved.")


def _add_step(name: str, step: Callable[..., ExperimentOut], *, asks_why: bool) -> None:
    @experiment.command(name, help=f"{name.capitalize()} the experiment KEY.")
    @click.argument("key")
    @click.pass_obj
    def take(settings: Settings, /, key: str, **reason: str) -> None:
        with changing(settings) as (session, now):
            changed = step(session, key, actor=operator(), now=now, **reason)
        click.echo(f"Experiment {key!r} is {changed.status}.")

    if asks_why:
        take.params.append(click.Option(["--reason"], required=True))


for _name, _step, _asks_why in (
    ("schedule", service.schedule, False),
    ("start", service.start, False),
    ("pause", service.pause, True),
    ("resume", service.resume, False),
    ("stop", service.stop, True),
    ("abort", service.abort, True),
    ("archive", service.archive, False),
):
    _add_step(_name, _step, asks_why=_asks_why)
