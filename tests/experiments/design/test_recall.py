from collections.abc import Callable
from datetime import datetime
from operator import is_

from sqlmodel import Session

from experiments.audit.schemas import Actor
from experiments.design import queries, service
from experiments.design.recall import Recall
from experiments.design.schemas import ExperimentOut, PhaseIn, Purpose, Status

LIVE = (Status.DRAFT, Status.RUNNING)


def recalled(recall: Recall[ExperimentOut], session: Session) -> list[ExperimentOut]:
    return recall.experiments(session, LIVE, purposes=[Purpose.TEST], make=lambda item: item)


def test_experiments__one_changed__is_read_anew_and_the_others_are_the_same_objects(
    session: Session, draft: Callable[..., ExperimentOut], actor: Actor, now: datetime
) -> None:
    draft()
    draft(key="other", audience={"country": "FR"})
    service.start(session, "headline", actor=actor, now=now)
    recall = Recall[ExperimentOut]()
    first = recalled(recall, session)
    assert first == queries.experiments(session, LIVE)
    assert list(map(is_, first, recalled(recall, session))) == [True, True]

    data = PhaseIn(weights={"control": 0.2, "pain": 0.4, "gain": 0.4}, reason="more of both")
    service.open_phase(session, "headline", data, actor=actor, now=now)
    second = recalled(recall, session)
    assert second == queries.experiments(session, LIVE)
    assert list(map(is_, first, second)) == [False, True]

    service.remove_variant(session, "headline", "gain", reason="bad", actor=actor, now=now)
    assert recalled(recall, session) == queries.experiments(session, LIVE)
    service.abort(session, "headline", reason="enough", actor=actor, now=now)
    assert [item.key for item in recalled(recall, session)] == ["other"]
