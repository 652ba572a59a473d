"""Shapes of the columnar slice."""

from datetime import date, datetime
from enum import StrEnum

from experiments.shapes import Out


class Kind(StrEnum):
    """What is kept in files."""

    EVENT = "event"
    EXPOSURE = "exposure"


class FileState(StrEnum):
    """What a file of the manifest is worth.

    It is `writing` until all of it is on the disk, `live` while it counts, and `dropped` once
    others hold its rows; readers that began before may still read it for a while.
    """

    WRITING = "writing"
    LIVE = "live"
    DROPPED = "dropped"


class FileOut(Out):
    """A file that counts: rows of one kind and one day, ordered by visitor and time.

    Of whom a file has rows is not known where an earlier release wrote it.
    """

    id: int
    kind: Kind
    name: str
    day: date
    rows: int
    size: int
    first_id: int
    last_id: int
    first_visitor: int | None = None
    last_visitor: int | None = None
    sha256: str

    def may_hold(self, begin: int, end: int) -> bool:
        """Whether it can have rows of visitors from `begin` on to before `end`."""
        if self.first_visitor is None or self.last_visitor is None:
            return True
        return self.first_visitor < end and self.last_visitor >= begin


class MarkOut(Out):
    """How far rows have been moved; `version` grows with every change of the manifest.

    Files of days before `kept_from` are gone for good.
    """

    kind: Kind
    last_id: int = 0
    version: int = 0
    moved_at: datetime | None = None
    kept_from: date | None = None


class DayOut(Out):
    """The rows of a day, as SQL has them and as the files have them.

    `surplus` are rows that SQL has no longer: of an exposure that changed, which is as it should
    be, or events. Ids lie between `first_id` and `last_id`.
    """

    kind: Kind
    day: date
    files: int
    in_sql: int
    in_files: int
    missing: int
    doubled: int
    surplus: int
    damaged: list[str]
    first_id: int
    last_id: int


class TroubleOut(Out):
    """Something that is wrong, and what to do; `day` if writing the files of it anew repairs it."""

    words: str
    remedy: str
    day: DayOut | None = None


class HealthOut(Out):
    """How the way from the inbox to the files does."""

    days: list[DayOut]
    waiting: dict[Kind, int]
    troubles: list[TroubleOut]

    @property
    def is_well(self) -> bool:
        """Whether nothing is wrong."""
        return not self.troubles
