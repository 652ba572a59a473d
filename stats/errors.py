"""Errors of the statistics engine.

StatsError
└── InvalidInput   a number that cannot be (negative count, NaN, more conversions than visitors)
"""


class StatsError(Exception):
    """Base of every error that the engine raises on purpose."""


class InvalidInput(StatsError, ValueError):
    """An argument that no data could have produced; names the field and the fix."""

    def __init__(self, field: str, fix: str) -> None:
        self.field = field
        self.fix = fix
        super().__init__(f"{field}: {fix}")
