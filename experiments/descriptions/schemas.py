"""Shapes of the descriptions slice."""

from datetime import datetime

from experiments.analysis.schemas import Estimate
from experiments.shapes import Out
from stats.results import NotEstimable


class Course(Out):
    """How one arm converts as time passes after the exposure.

    `converted` is the share of all its visitors who have converted by each of the hours, with its
    range at that time alone; where nobody was followed that long it is not known. `half_hours` is
    when half of those had converted who do so inside the window. `projected` is the share that is
    to be expected once everybody has had their time.
    """

    variant: str
    visitors: int
    converted: list[float | None]
    low: list[float | None]
    high: list[float | None]
    half_hours: float | NotEstimable
    projected: Estimate | NotEstimable


UNTOLD = NotEstimable("it is told from the next look on")


class TimeToConvert(Out):
    """The courses of all arms, at the same hours after the exposure."""

    hours: list[float]
    courses: list[Course]


class Group(Out):
    """One treatment beside the control among visitors who share a value.

    The effect is treatment minus control on the primary metric, of matured visitors; its range
    holds at every look, for this group by itself. `expected` is that effect drawn to the mean of
    all groups, by as much as chance alone explains how far they lie apart.
    """

    value: str
    visitors: int
    control: float | NotEstimable
    treatment: float | NotEstimable
    effect: Estimate | NotEstimable
    expected: float | NotEstimable = UNTOLD


class Segmentation(Out):
    """The effect of one treatment in each group of visitors that an attribute makes.

    `p_value` is of "the same effect in every group", adjusted for all the attributes and
    treatments that were looked at; it exists once, at the end of the plan.
    """

    attribute: str
    variant: str
    groups: list[Group]
    p_value: float | NotEstimable


class DescriptionOut(Out):
    """What was known of an experiment at one look beyond what decides."""

    experiment: str
    look: int
    as_of: datetime
    metric: str
    window_hours: int
    time_to_convert: TimeToConvert
    segments: list[Segmentation]
