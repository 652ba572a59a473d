"""Shapes of the interference slice."""

from datetime import datetime

from experiments.shapes import Out


class InterferenceOut(Out):
    """One variant beside one variant of another experiment, on visitors who are in both.

    The effects are treatment minus control on the primary metric of `experiment`; `interaction` is
    how much the other variant changes it, with its interval; `p_adjusted` allows for all pairs.
    """

    experiment: str
    variant: str
    other: str
    other_variant: str
    metric: str
    as_of: datetime
    visitors: int
    effect_beside_control: float
    effect_beside_variant: float
    interaction: float
    ci_low: float
    ci_high: float
    p_adjusted: float
    flagged: bool
    flips: bool
