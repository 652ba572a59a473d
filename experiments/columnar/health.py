"""What is wrong between the inbox and the files, in words, with the remedy."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Engine
from sqlmodel import Session, col, func, select

from experiments.columnar import queries
from experiments.columnar.checking import check
from experiments.columnar.datasets import DATASETS
from experiments.columnar.location import Location
from experiments.columnar.models import ColumnarErasure
from experiments.columnar.schemas import DayOut, HealthOut, Kind, TroubleOut
from experiments.database import fetched, from_micros, peeking, reading
from experiments.inbox.models import DeadLetter

MOVED_WITHIN = timedelta(minutes=15)
FORGOTTEN_WITHIN = timedelta(hours=3)
REFUSED_WITHIN = timedelta(days=1)

REWRITE = "run `desireline doctor --repair`: it writes the files of the day anew from SQL"

DELETE = "delete it if the database is the right one and was not restored: nothing reads it"


def examine(engine: Engine, location: Location, *, now: datetime) -> HealthOut:
    """Look at every row and every file."""
    with reading(engine) as session:
        erasures = _erasures(session)
        refused = _refused(session, now=now)
    days = check(engine, location)
    waiting = {kind: _waiting(engine, kind) for kind in Kind}
    troubles = [
        *_of_days(days, is_forgetting=erasures is not None),
        *_of_strays(_strays(engine, location)),
        *(found for kind in Kind for found in _of_mover(kind, *waiting[kind], now=now)),
        *_of_erasures(erasures, now=now),
        *_of_intake(refused),
    ]
    counts = {kind: count for kind, (count, _) in waiting.items()}
    return HealthOut(days=days, waiting=counts, troubles=troubles)


def _erasures(session: Session) -> datetime | None:
    return session.exec(select(func.min(ColumnarErasure.asked_at))).one()


def _refused(session: Session, *, now: datetime) -> int:
    recent = col(DeadLetter.at) > now - REFUSED_WITHIN
    return session.exec(select(func.count()).select_from(DeadLetter).where(recent)).one()


def _waiting(engine: Engine, kind: Kind) -> tuple[int, datetime | None]:
    """How many rows are not moved yet, and the instant of the first."""
    with reading(engine) as session:
        mark = queries.mark(session, kind)
    with peeking(engine) as cursor:
        ((count, oldest),) = fetched(cursor, DATASETS[kind].oldest_waiting, mark.last_id)
    return count, None if oldest is None else from_micros(oldest)


def _strays(engine: Engine, location: Location) -> list[str]:
    """Files that lie there and that the manifest does not know.

    It is read before and after the folder: it knows a file before its first byte is written, and
    until it is removed.
    """
    before = _names(engine)
    lying = {name for kind in Kind for name in location.names(kind)}
    return sorted(lying - before - _names(engine))


def _names(engine: Engine) -> set[str]:
    with reading(engine) as session:
        return queries.names(session)


def _of_days(days: Sequence[DayOut], *, is_forgetting: bool) -> Iterator[TroubleOut]:
    for day in days:
        rows = f"{day.kind}s of {day.day}"
        is_superfluous = day.surplus and day.kind is Kind.EVENT and not is_forgetting
        found = [*day.damaged]
        # Rows of a damaged file are missing as well; that is told once.
        if day.missing and not day.damaged:
            found.append(f"{day.missing} {rows} are in SQL and in no file")
        if day.doubled:
            found.append(f"{day.doubled} {rows} are in the files twice")
        if is_superfluous:
            found.append(f"{day.surplus} {rows} are in the files and not in SQL")
        yield from (TroubleOut(words=words, remedy=REWRITE, day=day) for words in found)


def _of_strays(names: Sequence[str]) -> Iterator[TroubleOut]:
    for name in names:
        words = f"the file {name} lies in the folder, and the manifest does not know it"
        yield TroubleOut(words=words, remedy=DELETE)


def _of_mover(
    kind: Kind, count: int, oldest: datetime | None, *, now: datetime
) -> Iterator[TroubleOut]:
    if oldest is not None and now - oldest > MOVED_WITHIN:
        words = f"{count} {kind}s wait to be moved, the first since {oldest:%Y-%m-%d %H:%M} UTC"
        yield TroubleOut(
            words=words, remedy="see that a scheduler runs, or run `desireline jobs run move`"
        )


def _of_erasures(asked_at: datetime | None, *, now: datetime) -> Iterator[TroubleOut]:
    if asked_at is not None and now - asked_at > FORGOTTEN_WITHIN:
        words = f"files hold events of visitors who asked at {asked_at:%Y-%m-%d %H:%M} UTC to go"
        yield TroubleOut(words=words, remedy="run `desireline jobs run tidy`")


def _of_intake(refused: int) -> Iterator[TroubleOut]:
    if refused:
        words = f"{refused} items were accepted in the last day and refused by the database"
        yield TroubleOut(words=words, remedy="look at `desireline events dead-letters`")
