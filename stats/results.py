"""The one way to say that a number does not exist."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class NotEstimable:
    """An undefined result, with the reason in words a growth lead understands.

    It stands where an estimate would stand, is false, and never turns into a neutral number.

    >>> missing = NotEstimable("12 of 100 conversions needed")
    >>> bool(missing), str(missing)
    (False, '12 of 100 conversions needed')
    """

    reason: str

    def __bool__(self) -> bool:
        return False

    def __str__(self) -> str:
        return self.reason
