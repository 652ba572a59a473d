"""Whether a treatment does harm: exact by who converted so far, and on the metric itself.

The exact test needs no minimum and finds a dead variant within hours. It counts who converted and
is blind to how many did not, and to smaller orders; a confidence sequence of the metric sees both,
once there are enough conversions for it. Either is a false alarm in at most one test in a thousand,
however often one looks.
"""

from collections.abc import Sequence

import numpy as np

from experiments.analysis.data import Cell
from experiments.analysis.protocol import Protocol, Question
from experiments.analysis.schemas import Harm, Role, SequentialTest
from experiments.metrics.schemas import Direction
from stats.confidence_sequences import asymptotic_cs_one_sided
from stats.e_values import harm_e_value
from stats.results import NotEstimable

HARM_ALPHA = 0.001
HARM_LOG_E = -float(np.log(HARM_ALPHA))
HARM_CONCENTRATION = 100.0
FEWEST_CONVERSIONS = 30
"""Per arm, before a normal approximation may end or take back anything."""


def harm(
    question: Question,
    control: Sequence[Cell],
    treatment: Sequence[Cell],
    *,
    variant: str,
    protocol: Protocol,
    test: SequentialTest | NotEstimable,
) -> Harm | NotEstimable:
    """Evidence that a treatment harms the primary metric or a guardrail.

    Args:
        question: the metric and its role.
        control: cells of the control, one per phase.
        treatment: cells of the treatment.
        variant: key of the treatment.
        protocol: what the look is asked.
        test: of the metric, of matured visitors; a guardrail's counts from its margin.
    """
    if not {Role.PRIMARY, Role.GUARDRAIL}.intersection(question.roles):
        return NotEstimable("harm is watched on the primary metric and on guardrails")
    log_e = _log_e(question, control, treatment, variant=variant, protocol=protocol)
    highest = _highest(test, control, treatment, protocol=protocol)
    return Harm(
        log_e_value=log_e,
        highest=highest,
        harmful=(isinstance(log_e, float) and log_e >= HARM_LOG_E)
        or (isinstance(highest, float) and highest < 0),
    )


def _highest(
    test: SequentialTest | NotEstimable,
    control: Sequence[Cell],
    treatment: Sequence[Cell],
    *,
    protocol: Protocol,
) -> float | NotEstimable:
    """The upper confidence sequence of what is tested, turned so that better is above zero."""
    if isinstance(test, NotEstimable):
        return test
    fewest = min(sum(_converted(cell) for cell in arm) for arm in (control, treatment))
    if fewest < FEWEST_CONVERSIONS:
        needed = f"{fewest} of {FEWEST_CONVERSIONS} conversions needed"
        return NotEstimable(f"{needed} in the smaller arm")
    se = float(1 / np.sqrt(test.information))
    bound = asymptotic_cs_one_sided(
        -test.z * se,
        se,
        visitors=sum(cell.matured for cell in (*control, *treatment)),
        alpha=HARM_ALPHA,
        n_star=protocol.n_star,
    ).at()
    return bound if isinstance(bound, NotEstimable) else -float(bound.lower_bound)


def _converted(cell: Cell) -> int:
    # Imported means do not say how many converted; every visitor of theirs carries a value.
    return cell.matured if cell.conversions is None else cell.conversions


def _log_e(
    question: Question,
    control: Sequence[Cell],
    treatment: Sequence[Cell],
    *,
    variant: str,
    protocol: Protocol,
) -> float | NotEstimable:
    """Exact evidence from everybody's conversions so far; phases add."""
    base = {cell.phase: cell.observed_conversions for cell in control}
    other = {cell.phase: cell.observed_conversions for cell in treatment}
    if None in base.values() or None in other.values():
        return NotEstimable("the imported figures do not say how many visitors converted")
    logs = (
        _in_phase(
            base.get(phase) or 0,
            other.get(phase) or 0,
            share=shares[variant] / (shares[protocol.control] + shares[variant]),
            direction=question.metric.direction,
        )
        for phase, shares in protocol.weights.items()
        if variant in shares and protocol.control in shares
    )
    return sum(logs, 0.0)


def _in_phase(control: int, treatment: int, *, share: float, direction: Direction) -> float:
    if direction is Direction.DECREASE:
        control, treatment, share = treatment, control, 1 - share
    evidence = harm_e_value(
        control, treatment, treatment_share=share, concentration=HARM_CONCENTRATION
    )
    return float(evidence.log_e_value)
