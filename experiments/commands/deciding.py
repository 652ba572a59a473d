"""What experiments say, what was decided on them, and promotions to settle."""

from collections.abc import Callable

import click

from experiments.analysis import queries as analysis
from experiments.analysis.schemas import Comparison, MetricReadout, Trust
from experiments.commands.terminal import changing, operator, reading, show, when
from experiments.decisions import queries as decisions
from experiments.decisions import settling
from experiments.decisions.disclosure import disclosed
from experiments.decisions.schemas import PromotionOut
from experiments.design import queries as designs
from experiments.formats import amount, lift
from experiments.interference.queries import interferences
from experiments.settings import Settings
from stats.results import NotEstimable


@click.command("results")
@click.argument("key")
@click.pass_obj
def show_results(settings: Settings, key: str) -> None:
    """Show the newest readout of the experiment KEY; what is undefined says why."""
    with changing(settings) as (session, now):
        run = analysis.result(session, key, now=now)
    rows = [
        (
            metric.name,
            arm.variant,
            f"{arm.matured:,} of {arm.visitors:,}",
            _figure(arm.figure, metric),
        )
        + (("", "") if arm.control else _effect(metric.comparison(arm.variant)))
        for metric in run.readout.metrics
        for arm in metric.arms
    ]
    title = f"{key}, look {run.look}, as of {when(run.as_of)}"
    columns = ("metric", "variant", "matured visitors", "figure", "change", "95% at every look")
    show(title, columns, rows)
    click.echo(f"Trust: {light(run.trust)}")


@click.command("interferences")
@click.argument("key")
@click.pass_obj
def show_interferences(settings: Settings, key: str) -> None:
    """Show how the effects of the experiment KEY depend on the arms of other experiments."""
    with reading(settings) as session:
        designs.experiment(session, key)
        found = interferences(session, key)
    rows = [
        (
            item.variant,
            f"{item.other}/{item.other_variant}",
            f"{item.effect_beside_control:+.4f}",
            f"{item.effect_beside_variant:+.4f}",
            f"{item.p_adjusted:.3g}",
            "turns around" if item.flips else "differs" if item.flagged else "no sign",
        )
        for item in found
    ]
    columns = ("variant", "beside", "effect beside its control", "beside it", "adjusted p", "says")
    show(f"{key} beside other experiments", columns, rows)


@click.command("decisions")
@click.argument("key")
@click.pass_obj
def show_decisions(settings: Settings, key: str) -> None:
    """Show what was decided on the experiment KEY, the newest first with every condition."""
    with changing(settings) as (session, now):
        found = decisions.decisions(session, key)
        run = analysis.latest_result(session, key, now=now)
    for newest in found[:1]:
        decision = disclosed(newest, run.withheld if run else "")
        trace = [(item.condition, item.ruling, item.words) for item in decision.trace]
        show(decision.sentence, ("condition", "verdict", "in words"), trace)
    rows = [(when(item.at), item.outcome, item.actor, item.sentence) for item in found]
    show(f"Decisions on {key}", ("at", "outcome", "by", "in words"), rows)


@click.command("promotions")
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


@click.command("approve")
@click.argument("promotion", type=int)
@click.pass_obj
def approve_promotion(settings: Settings, promotion: int) -> None:
    """Apply the proposed PROMOTION to the standard journey."""
    with changing(settings) as (session, now):
        made = settling.approve(session, promotion, actor=operator(), now=now)
    click.echo(f"Version {made.to_version} of {made.journey!r} is the standard.")


def _settling(name: str, step: Callable[..., PromotionOut], *, says: str) -> click.Command:
    @click.command(name, help=says)
    @click.argument("promotion", type=int)
    @click.option("--reason", required=True)
    @click.pass_obj
    def settle(settings: Settings, promotion: int, reason: str) -> None:
        with changing(settings) as (session, now):
            made = step(session, promotion, reason=reason, actor=operator(), now=now)
        click.echo(f"Promotion {made.id} of {made.experiment!r} is {made.state}.")

    return settle


COMMANDS: tuple[click.Command, ...] = (
    show_results,
    show_interferences,
    show_decisions,
    list_promotions,
    approve_promotion,
    _settling(
        "rebase",
        settling.rebase,
        says="Apply the PROMOTION over what has changed since the experiment began.",
    ),
    _settling(
        "decline",
        settling.decline,
        says="Decline the PROMOTION: the standard stays although a variant won.",
    ),
    _settling(
        "revert",
        settling.revert_promotion,
        says="Take the PROMOTION back: the content before it becomes standard again.",
    ),
)
"""What `desireline experiment` can do besides designing."""


def light(trust: Trust) -> str:
    """A trust light with its reasons, on one line."""
    return " ".join([trust.light.upper(), *trust.reasons])


def _figure(figure: float | NotEstimable, metric: MetricReadout) -> str:
    if isinstance(figure, NotEstimable):
        return str(figure)
    return amount(figure, metric.kind, metric.unit)


def _effect(comparison: Comparison) -> tuple[str, str]:
    effect = comparison.effect_rel
    if isinstance(effect, NotEstimable):
        return str(effect), ""
    return lift(effect.value), f"{lift(effect.ci_low)} to {lift(effect.ci_high)}"
