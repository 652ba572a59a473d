"""Promotions on probation: what was claimed, what fresh data say, and ending one early."""

import click

from experiments.analysis.schemas import Belief
from experiments.commands.terminal import changing, operator, reading, show, when
from experiments.decisions import verifying
from experiments.formats import lift
from experiments.probation import queries
from experiments.probation.schemas import ProbationOut, Realised
from experiments.probation.track_record import track_record
from experiments.settings import Settings
from stats.results import NotEstimable


@click.group()
def probation() -> None:
    """Promotions on probation: does what was promoted hold on fresh data?"""


@probation.command("list")
@click.pass_obj
def list_probations(settings: Settings) -> None:
    """Show every probation with its claim beside what fresh data say."""
    with reading(settings) as session:
        found = queries.probations(session)
    rows = [
        (str(item.promotion_id), item.experiment, item.state, *_effects(item), when(item.verify_at))
        for item in found
    ]
    columns = ("promotion", "experiment", "state", "claimed", "fresh data", "judged by")
    show("Probations", columns, rows)


@probation.command("verify")
@click.argument("promotion", type=int)
@click.pass_obj
def verify(settings: Settings, promotion: int) -> None:
    """Judge the newest look at the probation of the PROMOTION and do what follows."""
    with changing(settings) as (session, now):
        found = verifying.verify(session, promotion, actor=operator(), now=now)
    click.echo(f"{found.experiment} is {found.state}: {found.sentence}")


@probation.command("end")
@click.argument("promotion", type=int)
@click.option("--reason", required=True)
@click.pass_obj
def end(settings: Settings, promotion: int, reason: str) -> None:
    """End the probation of the PROMOTION now: everybody gets the standard, unverified."""
    with changing(settings) as (session, now):
        found = verifying.end(session, promotion, reason=reason, actor=operator(), now=now)
    click.echo(f"The probation of {found.experiment!r} is over.")


@probation.command("record")
@click.pass_obj
def record(settings: Settings) -> None:
    """Show what was claimed of all promotions beside what held."""
    with reading(settings) as session:
        found = track_record(queries.probations(session))
    if isinstance(found.claimed, NotEstimable) or isinstance(found.realised, NotEstimable):
        click.echo(f"Nothing to tell yet: {found.realised}.")
        return
    effects = f"{lift(found.claimed.value)} claimed, {lift(found.realised.value)} on fresh data"
    click.echo(f"{found.judged} promotions: {effects}.")
    rows = [
        (f"{band.lower:.0%} to {band.upper:.0%}", str(band.n), f"{band.realised:.0%}")
        for band in found.bands
    ]
    show("Came out better again", ("claimed chance", "promotions", "share"), rows)


def _effects(item: ProbationOut) -> tuple[str, str]:
    said, got = item.claimed, item.realised
    claimed = f"{lift(said.effect_rel)}" if isinstance(said, Belief) else str(said)
    realised = f"{lift(got.effect_rel.value)}" if isinstance(got, Realised) else str(got)
    return claimed, realised
