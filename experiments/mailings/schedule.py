"""When an audience gets the report of a week: pure, in the audience's own time zone."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from experiments.mailings.schemas import SubscriptionOut
from experiments.reports.weeks import bounds


def due_at(subscription: SubscriptionOut, week: str) -> datetime:
    """The first weekday and hour of the subscription after the end of an ISO week."""
    _, until = bounds(week)
    zone = ZoneInfo(subscription.time_zone)
    first = until.astimezone(zone).date()
    days = (subscription.weekday - first.isoweekday()) % 7
    for ahead in (days, days + 7):
        day = first + timedelta(days=ahead)
        at = datetime.combine(day, time(subscription.hour), zone)
        if at >= until:
            break
    return at
