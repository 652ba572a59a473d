"""Whether every logged answer is given again when it is replayed."""

from functools import lru_cache

from sqlalchemy import Engine
from sqlmodel import Session

from experiments.database import reading
from experiments.replay.queries import answer, answer_out, logged
from experiments.replay.rewinding import ruleset_as_of
from experiments.replay.schemas import LoggedOut, ReplayIn
from experiments.resolution.ruleset import Ruleset
from experiments.simulation.score import Replayed

CHUNK = 1000


def replay_all(engine: Engine) -> Replayed:
    """Replay everything that was logged, with the ruleset that answered then."""
    count = equal = after = 0
    with reading(engine) as session:
        rules = lru_cache(maxsize=None)(lambda version: ruleset_as_of(session, version))
        while found := logged(session, after=after, limit=CHUNK):
            equal += sum(_is_given_again(session, rules(item.ruleset), item) for item in found)
            count, after = count + len(found), found[-1].id
    return Replayed(logged=count, equal=equal)


def _is_given_again(session: Session, rules: Ruleset, item: LoggedOut) -> bool:
    asked = ReplayIn(
        visitor=item.visitor, journey=item.journey, touchpoint=item.touchpoint, at=item.at
    )
    found = answer(session, rules, asked)
    return {one.slot: answer_out(one) for one in found.answers} == item.answers
