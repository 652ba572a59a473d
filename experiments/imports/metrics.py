"""The metrics that measures become, the same for every kind of file."""

from experiments.imports.parts import DEFAULT_WINDOW_HOURS, VALUE_PROPERTY
from experiments.metrics.schemas import Direction, EventRule, MetricIn, MetricKind


def metric_key(journey: str, measure: str) -> str:
    """The key of the metric that a measure becomes, which is also the name of its event.

    >>> metric_key("cookie-cats", "day-7")
    'cookie-cats.day-7'
    """
    return f"{journey}.{measure}"


def counted(
    journey: str,
    measure: str,
    name: str,
    *,
    kind: MetricKind = MetricKind.CONVERSION,
    window_hours: int = DEFAULT_WINDOW_HOURS,
) -> MetricIn:
    """The metric of what a visitor reached, or how often."""
    key = metric_key(journey, measure)
    return MetricIn(
        key=key, name=name, kind=kind, rule=EventRule(event=key), window_hours=window_hours
    )


def summed(
    journey: str,
    measure: str,
    name: str,
    *,
    unit: str = "",
    direction: Direction = Direction.INCREASE,
    winsorise_above: float | None = None,
    window_hours: int = DEFAULT_WINDOW_HOURS,
) -> MetricIn:
    """The metric of an amount per visitor."""
    key = metric_key(journey, measure)
    return MetricIn(
        key=key,
        name=name,
        kind=MetricKind.SUM,
        rule=EventRule(event=key),
        value_property=VALUE_PROPERTY,
        unit=unit,
        direction=direction,
        winsorise_above=winsorise_above,
        window_hours=window_hours,
    )
