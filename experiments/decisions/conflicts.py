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
    """Whether no concurrent experiment turns the effect of the variant around."""
    others = facts.flips.get(variant, ())
    called = facts.called(variant)
    return Condition(
        condition="no interference",
        variant=variant,
        figure=float(len(others)),
        threshold=0.0,
        unit=Unit.TESTS,
        ruling=ruling(passed=not others, finished=finished),
        words=(
            f"{called} helps in one arm of {', '.join(others)} and harms in another: "
            "wait until that experiment is decided."
            if others
            else f"No concurrent experiment turns the effect of {called} around."
        ),
    )
