"""Conditions on what else is going on: the standard journey, and the other experiments."""

from experiments.analysis.schemas import Unit
from experiments.decisions.schemas import Condition, Ruling
from experiments.decisions.trust import Facts, ruling


def unchanged(facts: Facts) -> Condition:
    """Whether the standard journey still is, where the variant writes, what it was at the start."""
    nodes = ", ".join(facts.changed_nodes)
    return Condition(
        condition="unchanged standard",
        figure=float(len(facts.changed_nodes)),
        threshold=0.0,
        unit=Unit.PLACES,
        ruling=Ruling.FAILED if facts.changed_nodes else Ruling.PASSED,
        words=(
            f"The standard journey has changed at {nodes} since the experiment began."
            if facts.changed_nodes
            else "The standard journey is what it was when the experiment began."
        ),
    )


def undisturbed(facts: Facts, variant: str, *, finished: bool) -> Condition:
    """Whether no other experiment turns the effect of the variant around."""
    still_open, settled = facts.flips.get(variant, ()), facts.worse_beside.get(variant, ())
    others = (*settled, *still_open)
    # What has become standard beside it stays; an open experiment can still end the other way.
    waits = ruling(passed=not others, finished=finished)
    return Condition(
        condition="no interference",
        variant=variant,
        figure=float(len(others)),
        threshold=0.0,
        unit=Unit.TESTS,
        ruling=Ruling.FAILED if settled else waits,
        words=_disturbance(facts.called(variant), still_open=still_open, settled=settled),
    )


def _disturbance(called: str, *, still_open: tuple[str, ...], settled: tuple[str, ...]) -> str:
    if settled:
        return f"{called} harms beside what everybody sees since {', '.join(settled)} ended."
    if still_open:
        return (
            f"{called} helps in one arm of {', '.join(still_open)} and harms in another: "
            "wait until that experiment is decided."
        )
    return f"No other experiment turns the effect of {called} around."
