"""Every error the domain raises on purpose.

DesirelineError
├── MalformedError        what arrived cannot be read at all (broken JSON, wrong encoding)
├── InvalidError          what arrived can be read, but a field is wrong; names field and fix
├── NotAuthenticatedError nobody knows who asks
├── NotAllowedError       it is known who asks, and they may not
├── NotFoundError         there is no such thing
├── ConflictError         the thing is in a state that does not permit this
│   └── MergeConflictError   the standard journey changed where a promotion wants to write
├── TooLargeError         more bytes than are accepted at once
├── TooOftenError         the caller has asked as often as they may for now
├── NotStoredError        the database refuses what was accepted; kept among the dead letters
├── NotDeliveredError     a receiver did not take what was sent
├── DamagedError          a file of the columnar store is missing, unreadable or not what it was
└── UnavailableError      try again later (database away)
    └── OverloadedError      more waits to be written than may wait

A delivery (API, page, command) maps each class once, in its own `errors.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with one field: `pointer` is a JSON pointer, `detail` says the fix."""

    pointer: str
    detail: str

    def __str__(self) -> str:
        return f"{self.pointer.lstrip('/') or 'input'}: {self.detail}"


class DesirelineError(Exception):
    """Base of every error that a user can cause or must be told about."""


class MalformedError(DesirelineError):
    """The input cannot be read at all."""


class InvalidError(DesirelineError):
    """One or more fields are wrong; nothing was written."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(str(problem) for problem in self.problems))

    @classmethod
    def at(cls, pointer: str, detail: str) -> "InvalidError":
        """One problem at one place."""
        return cls([Problem(pointer, detail)])


class NotAuthenticatedError(DesirelineError):
    """The caller did not say who they are, or not convincingly."""


class NotAllowedError(DesirelineError):
    """The caller is known and lacks the role or scope."""

    def __init__(self, needed: str) -> None:
        self.needed = needed
        super().__init__(f"This needs {needed}.")


class NotFoundError(DesirelineError):
    """No thing of that kind has that key."""

    def __init__(self, kind: str, key: object) -> None:
        self.kind = kind
        self.key = key
        super().__init__(f"There is no {kind} {str(key)!r}.")


class ConflictError(DesirelineError):
    """The state of the thing does not permit the change."""


class MergeConflictError(ConflictError):
    """The standard journey changed at the nodes that a promotion wants to write."""

    def __init__(self, journey: str, nodes: Sequence[str]) -> None:
        self.journey = journey
        self.nodes = tuple(nodes)
        changed = ", ".join(nodes)
        super().__init__(
            f"The standard journey {journey!r} has changed at {changed} since the experiment began."
        )


class TooLargeError(DesirelineError):
    """The input is larger than is accepted at once."""


class TooOftenError(DesirelineError):
    """The caller has asked as often as they may for now."""

    def __init__(self, seconds: int) -> None:
        self.seconds = seconds
        super().__init__(f"This token has made its calls of this minute; wait {seconds} seconds.")


class UnavailableError(DesirelineError):
    """The service cannot do this now; the caller may try again."""


class OverloadedError(UnavailableError):
    """More waits to be written than may wait."""

    def __init__(self) -> None:
        super().__init__("The server is overloaded; try again in a moment.")


class NotStoredError(DesirelineError):
    """The database refuses what was accepted; it is kept with the reason among the dead letters."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"This could not be stored and is kept among the dead letters: {reason}")


class DamagedError(DesirelineError):
    """A file of the columnar store cannot be used."""

    def __init__(self, name: str, reason: str) -> None:
        self.name = name
        self.reason = reason
        super().__init__(
            f"The file {name} of the columnar store {reason}; "
            "`desireline doctor` checks all of them, `desireline doctor --repair` writes it again."
        )


class NotDeliveredError(DesirelineError):
    """A receiver did not take what was sent; `gone` when it never will."""

    def __init__(self, reason: str, *, gone: bool = False) -> None:
        self.gone = gone
        super().__init__(reason)
