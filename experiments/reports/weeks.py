"""ISO weeks: their names, their first moments, their last."""

import re
from datetime import UTC, date, datetime, time, timedelta

from experiments.errors import InvalidError

WEEK = timedelta(days=7)
_NAME = re.compile(r"(\d{4})-W(\d{2})")


def name(at: datetime) -> str:
    """The ISO week that contains a moment, in UTC: 2026-W09."""
    year, number, _ = at.astimezone(UTC).isocalendar()
    return f"{year}-W{number:02}"


def ended_before(now: datetime) -> str:
    """The newest week that is over."""
    return name(now - WEEK)


def bounds(week: str) -> tuple[datetime, datetime]:
    """The first moment of a week and the first moment after it.

    Raises:
        InvalidError: when there is no such week.
    """
    found = _NAME.fullmatch(week)
    try:
        monday = date.fromisocalendar(int(found[1]), int(found[2]), 1) if found else None
    except ValueError:
        monday = None
    if monday is None:
        raise InvalidError.at("/week", f"{week!r} is not an ISO week such as 2026-W09")
    since = datetime.combine(monday, time(), UTC)
    return since, since + WEEK
