"""What an engine is, whichever is chosen."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from sqlmodel import Session

from experiments.moments.duck import DuckEngine
from experiments.moments.schemas import Answer, Inquiry


class Engine(Protocol):
    """Whatever turns exposures and events into exact sums."""

    def answer(
        self, session: Session, inquiries: Sequence[Inquiry], *, as_of: datetime
    ) -> list[Answer]:
        """One answer per inquiry, as received by `as_of`."""


IN_DATABASE = DuckEngine()
"""DuckDB over what the database holds, where no files are known of."""
