"""Experiments, from draft to decision."""

import sys
from collections.abc import Callable
from pathlib import Path

import click
import numpy as np

from experiments.analysis import queries as analysis
from experiments.analysis.schemas import Comparison
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
from experiments.decisions import queries as decisions
from experiments.decisions import ramping
from experiments.decisions import service as deciding
from experiments.decisions.schemas import PromotionOut
from experiments.design import queries, service
from experiments.design.schemas import ExperimentIn, ExperimentOut, PhaseIn, Severity
from experiments.settings import Settings
from stats.results import NotEstimable


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


@experiment.command("results")
@click.argument("key")
@click.pass_obj
def show_results(settings: Settings, key: str) -> None:
    """Show the newest readout of the experiment KEY; what is undefined says why."""
    with reading(settings) as session:
        run = analysis.newest_run(session, key)
    rows = [
        (metric.name, arm.variant, f"{arm.matured:,} of {arm.visitors:,}", _figure(arm.figure))
        + (("", "") if arm.control else _effect(metric.comparison(arm.variant)))
        for metric in run.readout.metrics
        for arm in metric.arms
    ]
    title = f"{key}, look {run.look}, as of {when(run.as_of)}"
    columns = ("metric", "variant", "matured visitors", "figure", "change", "95% at every look")
    show(title, columns, rows)


@experiment.command("decisions")
@click.argument("key")
@click.pass_obj
def show_decisions(settings: Settings, key: str) -> None:
    """Show what was decided on the experiment KEY, the newest first with every condition."""
    with reading(settings) as session:
        found = decisions.decisions(session, key)
    for decision in found[:1]:
        trace = [(item.condition, item.ruling, item.words) for item in decision.trace]
        show(decision.sentence, ("condition", "verdict", "in words"), trace)
    rows = [(when(item.at), item.outcome, item.actor, item.sentence) for item in found]
    show(f"Decisions on {key}", ("at", "outcome", "by", "in words"), rows)


@experiment.command("promotions")
@click.pass_obj
def list_promotions(settings: Settings) -> None:
    """Show every promotion, with the number that approve and revert take."""
    with reading(settings) as session:
        found = decisions.promotions(session)
    rows = [
        (str(item.id), item.experiment, item.variant, item.state, when(item.applied_at))
        for item in found
    ]
    show("Promotions", ("number", "experiment", "variant", "state", "applied"), rows)


@experiment.command("approve")
@click.argument("promotion", type=int)
@click.pass_obj
def approve_promotion(settings: Settings, promotion: int) -> None:
    """Apply the proposed PROMOTION to the standard journey."""
    with changing(settings) as (session, now):
        made = deciding.approve(session, promotion, actor=operator(), now=now)
    click.echo(f"Version {made.to_version} of {made.journey!r} is the standard.")


def _add_settling(name: str, step: Callable[..., PromotionOut], *, says: str) -> None:
    @experiment.command(name, help=says)
    @click.argument("promotion", type=int)
    @click.option("--reason", required=True)
    @click.pass_obj
    def settle(settings: Settings, promotion: int, reason: str) -> None:
        with changing(settings) as (session, now):
            made = step(session, promotion, reason=reason, actor=operator(), now=now)
        click.echo(f"Promotion {made.id} of {made.experiment!r} is {made.state}.")


_add_settling(
    "rebase",
    deciding.rebase,
    says="Apply the PROMOTION over what has changed in the standard since the experiment began.",
)
_add_settling(
    "decline",
    deciding.decline,
    says="Decline the PROMOTION: the standard stays although a variant won.",
)
_add_settling(
    "revert",
    deciding.revert_promotion,
    says="Take the PROMOTION back: the content before it becomes standard again.",
)


def _figure(figure: float | NotEstimable) -> str:
    return str(figure) if isinstance(figure, NotEstimable) else f"{figure:.4g}"


def _effect(comparison: Comparison) -> tuple[str, str]:
    effect = comparison.effect_rel
    if isinstance(effect, NotEstimable):
        return str(effect), ""
    return f"{effect.value:+.1%}", f"{effect.ci_low:+.1%} to {effect.ci_high:+.1%}"
