"""Whether every logged answer is given again when its question is asked again."""

from functools import lru_cache

from sqlalchemy import Engine

from experiments.database import reading
from experiments.replay.queries import answer_again, answer_out, logged
from experiments.replay.rewinding import ruleset_as_of
from experiments.replay.schemas import LoggedOut, Proof
from experiments.resolution.ruleset import Ruleset

CHUNK = 1000
MOST_TOLD = 20


def prove(engine: Engine) -> Proof:
    """Answer again everything that was noted with what it was given from.

    A ruleset of the past takes a moment to read, so that each is read once.
    """
    count = equal = after = 0
    differing: list[LoggedOut] = []
    with reading(engine) as session:
        rules = lru_cache(maxsize=None)(lambda version: ruleset_as_of(session, version))
        while found := logged(session, after=after, limit=CHUNK):
            noted = [item for item in found if item.known is not None]
            other = [item for item in noted if not _is_given_again(rules(item.ruleset), item)]
            count, equal = count + len(noted), equal + len(noted) - len(other)
            differing += other[: MOST_TOLD - len(differing)]
            after = found[-1].id
    return Proof(logged=count, equal=equal, differing=differing)


def _is_given_again(rules: Ruleset, item: LoggedOut) -> bool:
    found = answer_again(rules, item)
    said = {one.slot: answer_out(one) for one in found.answers}
    return (said, found.version) == (item.answers, item.journey_version)
