"""Errors of the statistics engine.

StatsError
└── InvalidInputError   a number that no data could have produced (negative, NaN, out of range)
"""


class StatsError(Exception):
    """Base of every error that the engine raises on purpose."""


class InvalidInputError(StatsError, ValueError):
    """An argument that no data could have produced; names the field and the fix."""

    def __init__(self, field: str, fix: str) -> None:
        self.field = field
        self.fix = fix
        super().__init__(f"{field}: {fix}")
