from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, select

from experiments.audit import queries as audit
from experiments.audit.schemas import Actor
from experiments.database import reading, transaction
from experiments.errors import ConflictError, InvalidError, NotFoundError
from experiments.journeys import documents, queries, service
from experiments.journeys.models import JourneyVersion
from experiments.journeys.schemas import (
    ContentIn,
    JourneyGraph,
    JourneyOut,
    Template,
    TemplateIn,
    VersionIn,
    VersionStatus,
)
from experiments.metrics import queries as metrics


@pytest.fixture
def journey(session: Session, actor: Actor, now: datetime) -> JourneyOut:
    data = TemplateIn(key="shop", name="Shop", template=Template.SIGNUP)
    return service.create_from_template(session, data, actor=actor, now=now)


def _with(session: Session, **changes: Any) -> VersionIn:
    """The first map with its first slot changed."""
    data = queries.version(session, "shop", 1).graph.model_dump(mode="json")
    data["stages"][0]["touchpoints"][0]["slots"][0].update(changes)
    return VersionIn(graph=JourneyGraph.model_validate(data))


def test_create__template__makes_metrics_approved_contents_and_a_draft(
    session: Session, journey: JourneyOut
) -> None:
    assert (journey.standard, journey.versions) == (None, 1)
    assert queries.version(session, "shop", 1).status is VersionStatus.DRAFT
    keys = {f"shop.{stage.key}" for stage in queries.version(session, "shop", 1).graph.stages}
    assert metrics.existing(session, keys) == keys
    assert all(content.approved_at for content in queries.contents(session, "shop"))


def test_create__metric_is_there_already__is_left_as_it_is(
    session: Session, journey: JourneyOut, actor: Actor, now: datetime
) -> None:
    before = metrics.metrics(session)
    data = documents.from_template(TemplateIn(key="shop", name="S", template=Template.SIGNUP))
    other = data.model_copy(update={"key": "second"})
    service.create(session, other, actor=actor, now=now)
    assert metrics.metrics(session) == before


def test_create__taken_key__is_refused(
    session: Session, journey: JourneyOut, actor: Actor, now: datetime
) -> None:
    with pytest.raises(ConflictError, match="choose another key"):
        service.create_from_template(
            session, TemplateIn(key="shop", name="Shop"), actor=actor, now=now
        )


def test_create__broken_map__writes_nothing(engine: Engine, actor: Actor, now: datetime) -> None:
    data = documents.from_template(TemplateIn(key="shop", name="Shop"))
    broken = data.model_copy(update={"contents": []})
    with pytest.raises(InvalidError, match="there is no content"), transaction(engine) as session:
        service.create(session, broken, actor=actor, now=now)
    with reading(engine) as session:
        assert queries.journeys(session) == []
        assert metrics.metrics(session) == []


def test_publish__draft__becomes_the_only_standard(
    session: Session, journey: JourneyOut, actor: Actor, now: datetime
) -> None:
    service.publish(session, "shop", 1, reason="first", actor=actor, now=now)
    service.draft_version(session, "shop", _with(session), actor=actor, now=now)
    later = now + timedelta(days=1)
    made = service.publish(session, "shop", 2, reason="second", actor=actor, now=later)
    assert (made.status, made.parent, made.published_at) == (VersionStatus.STANDARD, 1, later)
    assert queries.standard(session, "shop") == made
    assert queries.version(session, "shop", 1).status is VersionStatus.SUPERSEDED
    assert queries.journey(session, "shop").standard == 2


def test_publish__standard_again__changes_nothing(
    session: Session, journey: JourneyOut, actor: Actor, now: datetime
) -> None:
    first = service.publish(session, "shop", 1, reason="first", actor=actor, now=now)
    version = audit.live_version(session)
    later = now + timedelta(days=1)
    again = service.publish(session, "shop", 1, reason="again", actor=actor, now=later)
    assert again == first
    assert audit.live_version(session) == version


def test_publish__superseded__is_refused(
    session: Session, journey: JourneyOut, actor: Actor, now: datetime
) -> None:
    service.draft_version(session, "shop", _with(session), actor=actor, now=now)
    for number in (1, 2):
        service.publish(session, "shop", number, reason="r", actor=actor, now=now)
    with pytest.raises(ConflictError, match="revert to it"):
        service.publish(session, "shop", 1, reason="r", actor=actor, now=now)


def test_publish__content_not_approved__is_refused_until_it_is(
    session: Session, journey: JourneyOut, actor: Actor, now: datetime
) -> None:
    new = ContentIn.model_validate({"key": "hero-headline", "type": "string", "payload": "Hi"})
    added = service.add_content(session, "shop", new, actor=actor, now=now)
    draft = _with(session, content_version=added.number)
    made = service.draft_version(session, "shop", draft, actor=actor, now=now)
    with pytest.raises(InvalidError, match="approve it first"):
        service.publish(session, "shop", made.number, reason="r", actor=actor, now=now)
    service.approve_content(session, "shop", added.key, added.number, actor=actor, now=now)
    service.publish(session, "shop", made.number, reason="r", actor=actor, now=now)
    (change,) = queries.diff(session, "shop", 1, 2)
    assert change.path.endswith("hero_headline/content_version")
    assert (change.before, change.after) == (1, 2)


def test_publish__provenance__is_kept(
    session: Session, journey: JourneyOut, actor: Actor, now: datetime
) -> None:
    origin = {"experiment": "headline", "variant": "b"}
    made = service.publish(
        session, "shop", 1, reason="won", provenance=origin, actor=actor, now=now
    )
    assert made.provenance == origin


def test_one_standard__two_written_behind_the_service__the_database_refuses(
    session: Session, journey: JourneyOut, actor: Actor, now: datetime
) -> None:
    service.publish(session, "shop", 1, reason="r", actor=actor, now=now)
    service.draft_version(session, "shop", _with(session), actor=actor, now=now)
    row = session.exec(select(JourneyVersion).where(JourneyVersion.number == 2)).one()
    row.status = VersionStatus.STANDARD
    with pytest.raises(IntegrityError), session.begin_nested():
        session.flush()


def test_revert__earlier_version__is_published_as_a_new_one(
    session: Session, journey: JourneyOut, actor: Actor, now: datetime
) -> None:
    renamed = queries.version(session, "shop", 1).graph.model_dump(mode="json")
    renamed["stages"][0]["name"] = "Looks around"
    draft = VersionIn(graph=JourneyGraph.model_validate(renamed))
    service.draft_version(session, "shop", draft, actor=actor, now=now)
    for number in (1, 2):
        service.publish(session, "shop", number, reason="r", actor=actor, now=now)
    made = service.revert(session, "shop", 1, reason="was better", actor=actor, now=now)
    assert (made.number, made.status) == (3, VersionStatus.STANDARD)
    assert made.provenance == {"revert_to": 1}
    assert made.graph == queries.version(session, "shop", 1).graph
    assert queries.diff(session, "shop", 1, 3) == []


def test_revert__standard_or_never_published__is_refused(
    session: Session, journey: JourneyOut, actor: Actor, now: datetime
) -> None:
    with pytest.raises(ConflictError, match="publish it instead"):
        service.revert(session, "shop", 1, reason="r", actor=actor, now=now)
    service.publish(session, "shop", 1, reason="r", actor=actor, now=now)
    with pytest.raises(ConflictError, match="nothing to revert"):
        service.revert(session, "shop", 1, reason="r", actor=actor, now=now)


def test_add_content__known_key__makes_the_next_version(
    session: Session, journey: JourneyOut, actor: Actor, now: datetime
) -> None:
    data = {"key": "hero-headline", "type": "string", "payload": "Hi", "tags": ["frame:pain"]}
    added = service.add_content(
        session, "shop", ContentIn.model_validate(data), actor=actor, now=now
    )
    assert (added.number, added.approved_at, added.tags) == (2, None, ["frame:pain"])
    assert queries.content(session, "shop", "hero-headline", 1).payload == "Try it for free."
    other = {**data, "type": "integer", "payload": 3}
    with pytest.raises(ConflictError, match="is of type string"):
        service.add_content(session, "shop", ContentIn.model_validate(other), actor=actor, now=now)


def test_approve_content__twice__keeps_the_first_approval(
    session: Session, journey: JourneyOut, actor: Actor, now: datetime
) -> None:
    later = now + timedelta(days=1)
    found = service.approve_content(session, "shop", "hero-headline", 1, actor=actor, now=later)
    assert found.approved_at == now


def test_queries__unknown__are_not_found(session: Session, journey: JourneyOut) -> None:
    for ask in (
        lambda: queries.journey(session, "none"),
        lambda: queries.version(session, "shop", 9),
        lambda: queries.content(session, "shop", "hero-headline", 9),
        lambda: queries.contents(session, "none"),
    ):
        with pytest.raises(NotFoundError):
            ask()


@pytest.mark.parametrize(
    ("kind", "payload", "fits"),
    [
        ("string", "a", True),
        ("string", 1, False),
        ("boolean", True, True),
        ("boolean", 1, False),
        ("integer", 1, True),
        ("integer", True, False),
        ("integer", 1.5, False),
        ("float", 1, True),
        ("float", True, False),
        ("object", {"a": 1}, True),
        ("object", [1], False),
    ],
)
def test_content_in__payload__must_be_of_the_type(kind: str, payload: object, fits: bool) -> None:
    data = {"key": "c", "type": kind, "payload": payload}
    if fits:
        assert ContentIn.model_validate(data).payload == payload
    else:
        with pytest.raises(ValueError, match="is not of type"):
            ContentIn.model_validate(data)
