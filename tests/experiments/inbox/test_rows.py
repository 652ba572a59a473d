from datetime import datetime

from sqlmodel import Session, func, select

from experiments.assignment.models import SuppressedId
from experiments.database import to_micros
from experiments.inbox.rows import FEWEST_COPIED, insert_new

COLUMNS = ("digest", "at")


def test_insert_new__many_rows__tells_which_were_new(session: Session, now: datetime) -> None:
    rows = [(f"{number}\t\\N", to_micros(now)) for number in range(FEWEST_COPIED)]

    def inserted(chosen: list[tuple[str, int]]) -> list[bool]:
        connection = session.connection()
        return insert_new(connection, SuppressedId, COLUMNS, chosen, key=("digest",))

    assert inserted(rows) == [True] * FEWEST_COPIED
    more = [("first", 1), *rows, ("last", 2), ("last", 2)]
    assert inserted(more) == [True, *[False] * FEWEST_COPIED, True, False]
    assert session.exec(select(func.count()).select_from(SuppressedId)).one() == FEWEST_COPIED + 2
    stored = select(SuppressedId.at).where(SuppressedId.digest == rows[0][0])
    assert session.exec(stored).one() == now
