from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import count

import pytest
from sqlmodel import Session, select

from experiments.accounts import service as accounts
from experiments.accounts.schemas import Scope, TokenIn
from experiments.assignment import queries as visitors
from experiments.assignment.models import Assignment, Exposure
from experiments.audit.schemas import Actor
from experiments.design.schemas import ExperimentOut
from experiments.errors import NotFoundError
from experiments.events import queries, service
from experiments.events.schemas import BatchOut, Liveness

Launch = Callable[..., ExperimentOut]
numbers = count()


def track(event: str = "Signed Up", **more: object) -> dict[str, object]:
    call = {"type": "track", "userId": "u", "event": event, "messageId": f"m{next(numbers)}"}
    return call | more


def ingest(session: Session, now: datetime, *calls: object) -> BatchOut:
    return service.ingest(session, calls, source_key="site", received_at=now)


def seen(variant: object, **more: object) -> dict[str, object]:
    told = {"experiment_id": "headline", "variation_id": variant}
    return track("Experiment Viewed", properties=told, **more)


@pytest.fixture
def experiment(
    session: Session, signup: Callable[[Session], None], launch: Launch
) -> ExperimentOut:
    signup(session)
    return launch(session)


def test_ingest__same_message_twice__is_stored_once(session: Session, now: datetime) -> None:
    call = track()
    assert ingest(session, now, call, call).repeated == 1
    assert ingest(session, now + timedelta(minutes=1), call).repeated == 1
    other = service.ingest(session, [call], source_key="app", received_at=now)
    assert other.stored == 1
    assert len(queries.recent(session)) == 2


def test_ingest__one_bad_event__stops_no_other_and_is_kept(session: Session, now: datetime) -> None:
    outcome = ingest(session, now, track(), track(userId=None), "nonsense", track("\x00"))
    assert outcome.stored == 1
    assert [item.index for item in outcome.rejected] == [1, 2, 3]
    refused = queries.rejected(session)
    assert [item.error for item in refused] == [item.error for item in reversed(outcome.rejected)]
    assert "userId or anonymousId" in refused[-1].error


def test_drop_rejected__old_ones__are_forgotten(session: Session, now: datetime) -> None:
    ingest(session, now, "nonsense")
    assert service.drop_rejected(session, before=now) == 0
    assert service.drop_rejected(session, before=now + timedelta(seconds=1)) == 1
    assert queries.rejected(session) == []


def test_ingest__every_call__is_readable_as_an_event(session: Session, now: datetime) -> None:
    ingest(
        session,
        now,
        {"type": "page", "anonymousId": "a", "name": "Home"},
        {"type": "screen", "anonymousId": "a", "name": "Start"},
        {"type": "group", "anonymousId": "a", "groupId": "g"},
        {"type": "identify", "anonymousId": "a", "traits": {"plan": "pro"}},
        {"type": "identify", "userId": "u", "anonymousId": "a", "traits": {"age": 30}},
        {"type": "alias", "userId": "u", "previousId": "old"},
        track(properties={"revenue": 9.5}),
    )
    found = queries.visitor_events(session, "old")
    assert [(event.name, event.properties) for event in reversed(found)] == [
        ("Page Viewed", {"name": "Home"}),
        ("Screen Viewed", {"name": "Start"}),
        ("Grouped", {"groupId": "g"}),
        ("Identified", {"plan": "pro"}),
        ("Identified", {"age": 30}),
        ("Aliased", {"previousId": "old"}),
        ("Signed Up", {"revenue": 9.5}),
    ]
    assert visitors.visitor(session, "u").attributes == {"plan": "pro", "age": 30}
    assert [event.id for event in queries.visitor_events(session, "u", limit=2)] == [
        found[0].id,
        found[1].id,
    ]
    assert queries.visitor_events(session, "u", before=found[5].id) == [found[6]]


def test_visitor_events__nobody__is_not_found(session: Session) -> None:
    with pytest.raises(NotFoundError):
        queries.visitor_events(session, "nobody")


def test_ingest__identify_after_both_acted__events_move_to_one_visitor(
    session: Session, now: datetime
) -> None:
    ingest(session, now, track(userId=None, anonymousId="a"), track(userId="u"))
    ingest(session, now, {"type": "identify", "userId": "u", "anonymousId": "a"})
    assert len(queries.visitor_events(session, "a")) == 3
    assert visitors.visitor(session, "a").aliases == ["a", "u"]


def test_ingest__exposure_reported__counts_at_the_time_it_happened(
    session: Session, now: datetime, experiment: ExperimentOut
) -> None:
    later = now + timedelta(days=2)
    at = (now + timedelta(days=1)).isoformat()
    call = seen("pain", timestamp=at)
    ingest(session, later, call, call, seen("pain"))
    exposure = session.exec(select(Exposure)).one()
    assert (exposure.first_at, exposure.count) == (now + timedelta(days=1), 2)
    row = session.exec(select(Assignment)).one()
    assert (row.method, row.contaminated) == ("report", False)
    assert row.variant_id == exposure.variant_id == experiment.variants[1].id


def test_ingest__another_variant_reported__first_stands_and_is_contaminated(
    session: Session, now: datetime, experiment: ExperimentOut
) -> None:
    ingest(session, now, seen("control"), seen(1))
    row = session.exec(select(Assignment)).one()
    assert (row.variant_id, row.contaminated) == (experiment.variants[0].id, True)
    assert session.exec(select(Exposure)).one().variant_id == experiment.variants[0].id


@pytest.mark.parametrize("variant", ["unknown", 7])
def test_ingest__unknown_variant__is_an_event_and_no_exposure(
    session: Session, now: datetime, experiment: ExperimentOut, variant: object
) -> None:
    assert ingest(session, now, seen(variant)).stored == 1
    assert session.exec(select(Exposure)).all() == []


def test_ingest__before_the_start_or_unknown_experiment__is_no_exposure(
    session: Session, now: datetime, experiment: ExperimentOut
) -> None:
    early = (now - timedelta(hours=1)).isoformat()
    unknown = track("Experiment Viewed", properties={"experiment_id": "x", "variation_id": "y"})
    assert ingest(session, now, seen("pain", timestamp=early), unknown).stored == 2
    assert session.exec(select(Exposure)).all() == []


def test_reasons__of_refusals__are_counted_and_lead_to_them(
    session: Session, now: datetime
) -> None:
    ingest(session, now, "nonsense", 7, track(userId=None))
    first, second = queries.reasons(session)
    assert (first.count, second.count, first.last_at) == (2, 1, now)
    assert len(queries.rejected(session, reason=first.error)) == 2
    assert "userId" in queries.rejected(session, reason=second.error)[0].error


def test_senders__by_the_age_of_their_last_event__are_told_apart(
    session: Session, actor: Actor, now: datetime
) -> None:
    for name, scope in (("site", Scope.INGEST), ("reader", Scope.READ)):
        data = TokenIn(name=name, scopes=[scope])
        accounts.create_token(session, data, actor=actor, now=now)
    for key, age in (("app", 0), ("batch", 3600), ("old", 90_000)):
        at = now - timedelta(seconds=age)
        service.ingest(session, [track()], source_key=key, received_at=at)
    found = {one.name: (one.liveness, one.age_seconds) for one in queries.senders(session, now=now)}
    assert found == {
        "app": (Liveness.SENDING, 0),
        "batch": (Liveness.QUIET, 3600),
        "old": (Liveness.SILENT, 90_000),
        "site": (Liveness.NEVER, None),
    }


def test_ingest__again_and_again__the_sender_was_last_seen_then(
    session: Session, now: datetime
) -> None:
    for seconds in (0, 0.5, 30):
        ingest(session, now + timedelta(seconds=seconds), track())
    (sender,) = queries.senders(session, now=now)
    assert sender.last_at == now + timedelta(seconds=30)


def test_ingest__calls_that_tie_ids_between_others__keep_their_order(
    session: Session, now: datetime
) -> None:
    ingest(
        session,
        now,
        track(userId=None, anonymousId="a"),
        {"type": "identify", "userId": "u", "anonymousId": "a"},
        track(userId=None, anonymousId="a"),
        track(userId=None, anonymousId="b"),
        {"type": "alias", "userId": "u", "previousId": "b"},
        track(userId=None, anonymousId="b"),
    )
    assert visitors.visitor(session, "u").aliases == ["a", "b", "u"]
    assert len(queries.visitor_events(session, "u")) == 6


def test_ingest__properties_with_large_numbers_and_odd_letters__come_back_the_same(
    session: Session, now: datetime
) -> None:
    told = {"n": 2**70, "é": "日本😀", "nested": {"a": [1, 2.5, None, True]}}
    ingest(session, now, track(properties=told))
    assert queries.recent(session)[0].properties == told
