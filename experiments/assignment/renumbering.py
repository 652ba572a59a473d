"""The next id of an exposure, which it gets when it changes as an analysis sees it.

So whatever reads exposures in the order of their ids meets the change too.
"""

from sqlalchemy import ColumnElement, func, inspect, select

from experiments.assignment.models import Exposure


def next_exposure_id(dialect: str) -> ColumnElement[int]:
    """SQL of an id that no exposure ever had."""
    if dialect == "sqlite":
        every = inspect(Exposure).local_table.alias("every_exposure")
        return select(func.max(every.c.id) + 1).scalar_subquery()
    return func.nextval(func.pg_get_serial_sequence("exposure", "id"))
