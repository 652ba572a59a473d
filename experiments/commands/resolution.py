"""What a touchpoint would show."""

import json

import click

from experiments.commands.terminal import reading, show
from experiments.resolution import queries, service
from experiments.resolution.schemas import ExplainOut, ResolveIn
from experiments.settings import Settings
from experiments.shapes import parse


@click.command("resolve")
@click.argument("journey")
@click.argument("touchpoint")
@click.option("--visitor", help="Any id of the visitor; without one there is no test.")
@click.option("--explain", is_flag=True, help="Show every rung that was asked, and why.")
@click.pass_obj
def resolve(
    settings: Settings, /, journey: str, touchpoint: str, visitor: str | None, *, explain: bool
) -> None:
    """Show what the TOUCHPOINT of the JOURNEY would show; writes and counts nothing."""
    fields = {"journey": journey, "touchpoint": touchpoint, "visitor": visitor}
    asked = parse(ResolveIn, fields)
    with reading(settings) as session:
        found = service.explain(session, queries.ruleset(session), asked)
    if explain:
        _show_rungs(found)
    rows = [
        (slot, json.dumps(item.value, ensure_ascii=False), item.source, item.reason)
        for slot, item in found.slots.items()
    ]
    title = f"{journey} version {found.journey_version or '-'}, {touchpoint}"
    show(title, ("slot", "shows", "from", "because"), rows)


def _show_rungs(found: ExplainOut) -> None:
    for slot, rungs in found.rungs.items():
        rows = [(item.rung, "yes" if item.answered else "no", item.reason) for item in rungs]
        show(f"Rungs asked for {slot}", ("rung", "answered", "reason"), rows)
