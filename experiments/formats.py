"""Every number, date and word that people read is formatted here, and only here."""

import json
import math
from datetime import UTC, datetime
from typing import Any

MINUS = "\u2212"
THIN_SPACE = "\u202f"
NOTHING = "\u2013"
RATE = "conversion"
"""The kind of metric whose figures are shares."""
MINUTE, HOUR, DAY = 60, 3600, 86400


def count(number: float | None) -> str:
    """A whole number with thousands apart: 12 345."""
    return NOTHING if number is None else f"{number:,.0f}".replace(",", THIN_SPACE)


def percent(share: float | None, digits: int | None = None) -> str:
    """A share as a percentage, with more digits the smaller it is."""
    if share is None:
        return NOTHING
    if digits is None:
        digits = 1 if abs(share) >= 0.1 or share == 0 else 2
    return f"{_signed(share * 100, digits, plus=False)}%"


def share(part: float | None) -> str:
    """A share that somebody chose, without digits they did not choose: 50%."""
    return NOTHING if part is None else f"{round(part * 100, 4):g}%"


def lift(ratio: float | None, digits: int = 1) -> str:
    """A relative change with its sign: +4.2%."""
    return NOTHING if ratio is None else f"{_signed(ratio * 100, digits)}%"


def points(difference: float | None, digits: int = 2) -> str:
    """A difference of two shares, in percentage points: +0.82 points."""
    return NOTHING if difference is None else f"{_signed(difference * 100, digits)} points"


def figure(number: float | None, unit: str = "") -> str:
    """A figure of a metric with its unit, to three significant digits."""
    if number is None:
        return NOTHING
    digits = max(0, 2 - math.floor(math.log10(abs(number)))) if number else 0
    text = _signed(number, min(digits, 6), plus=False)
    return f"{text}{THIN_SPACE}{unit}" if unit else text


def amount(number: float | None, kind: str, unit: str = "") -> str:
    """A figure of a metric of that kind: a percentage for conversions, else with its unit."""
    return percent(number) if kind == RATE else figure(number, unit)


def difference(number: float | None, kind: str, unit: str = "") -> str:
    """A difference of two figures of a metric of that kind, in points or in its unit."""
    return points(number) if kind == RATE else figure(number, unit)


def measured(number: object, unit: str = "") -> str:
    """A figure of a condition, or of its threshold, in what it is counted in."""
    if not isinstance(number, int | float):
        return NOTHING
    if unit == "share":
        return percent(number)
    whole = unit in {"conversions", "hours", "periods", "places", "tests"}
    text = count(number) if whole else score(number)
    return text if unit in {"", "z"} else f"{text}{THIN_SPACE}{unit}"


def score(number: float) -> str:
    """A test statistic, to two decimals."""
    return _signed(number, 2, plus=False)


def p_value(value: float | None) -> str:
    """A p-value, never as zero."""
    if value is None:
        return NOTHING
    return "< 0.0001" if value < 0.0001 else f"{value:.2g}" if value < 0.1 else f"{value:.2f}"


def date(at: datetime | None) -> str:
    """A day: 2 Mar 2026."""
    return NOTHING if at is None else f"{_utc(at).day} {_utc(at):%b %Y}"


def moment(at: datetime | None) -> str:
    """A day and time: 2 Mar 2026, 09:00 UTC."""
    return NOTHING if at is None else f"{date(at)}, {_utc(at):%H:%M} UTC"


def as_of(at: datetime | None) -> str:
    """Up to when the data are in: as of 2 Mar 2026, 09:00 UTC."""
    return f"as of {moment(at)}"


def span(seconds: float | None) -> str:
    """A duration in its largest fitting unit: 3 days."""
    if seconds is None:
        return NOTHING
    for size, unit in ((DAY, "day"), (HOUR, "hour"), (MINUTE, "minute")):
        if seconds >= size:
            return plural(round(seconds / size), unit)
    return plural(round(seconds), "second")


def plural(number: int, noun: str, several: str = "") -> str:
    """A count with its noun: 1 visitor, 2 visitors."""
    return f"{count(number)} {noun if number == 1 else several or noun + 's'}"


def words(name: str) -> str:
    """A machine's name in words: `experiment.started` becomes `experiment started`."""
    return name.replace(".", " ").replace("_", " ")


def who(actor: str) -> str:
    """Who acted, in words: `job:decide` becomes `the job decide`, a person is their e-mail."""
    kind, _, name = actor.partition(":")
    return name if kind == "person" else f"the {kind} {name}"


def payload(value: Any) -> str:
    """A content's payload as a person would read it."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def said(value: Any) -> str:
    """A payload without the marks of JSON, as far as its fields can be named one by one."""
    if not isinstance(value, dict):
        return payload(value)
    return " · ".join(f"{key}: {payload(item)}" for key, item in value.items())


def _signed(number: float, digits: int, *, plus: bool = True) -> str:
    rounded = round(number, digits)
    text = f"{abs(rounded):,.{digits}f}".replace(",", THIN_SPACE)
    if rounded == 0:
        return text
    sign = MINUS if rounded < 0 else "+" if plus else ""
    return sign + text


def _utc(at: datetime) -> datetime:
    return at.astimezone(UTC)
