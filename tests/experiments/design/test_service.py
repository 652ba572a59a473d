from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlmodel import Session

from experiments.audit import queries as audit
from experiments.audit.schemas import Actor
from experiments.design import queries, service
from experiments.design.schemas import ExperimentIn, ExperimentOut, PhaseIn, Status
from experiments.errors import ConflictError, InvalidError, NotFoundError
from experiments.journeys import service as journeys
from experiments.journeys.schemas import Template, TemplateIn

Drafting = Callable[..., ExperimentOut]
Data = Callable[..., ExperimentIn]


@pytest.fixture
def running(session: Session, draft: Drafting, actor: Actor, now: datetime) -> ExperimentOut:
    draft()
    return service.start(session, "headline", actor=actor, now=now)


def test_create__draft__stands_on_the_standard_version(session: Session, draft: Drafting) -> None:
    made = draft()
    assert (made.status, made.base_version, made.phases) == (Status.DRAFT, 1, [])
    assert [variant.key for variant in made.variants] == ["control", "pain", "gain"]
    assert made.control.key == "control"
    assert made.metrics == ["shop.visit", "shop.signup", "shop.activate"]
    assert queries.experiment(session, "headline") == made


def test_create__salt__is_drawn_and_not_made_of_the_key(draft: Drafting) -> None:
    assert draft().salt != draft(key="other").salt
    assert len(draft(key="third").salt) == 16


def test_create__taken_key__is_refused(draft: Drafting) -> None:
    draft()
    with pytest.raises(ConflictError, match="choose another key"):
        draft()


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"journey": "none"}, "/journey"),
        ({"journey": "unpublished"}, "/journey"),
        ({"place": {"layer": "none", "start": 0, "end": 1}}, "/place/layer"),
    ],
)
def test_create__unknown_place__names_field(
    session: Session,
    draft: Drafting,
    actor: Actor,
    now: datetime,
    changes: dict[str, Any],
    pointer: str,
) -> None:
    journeys.create_from_template(
        session,
        TemplateIn(key="unpublished", name="U", template=Template.SIGNUP),
        actor=actor,
        now=now,
    )
    with pytest.raises(InvalidError) as caught:
        draft(**changes)
    assert [problem.pointer for problem in caught.value.problems] == [pointer]


def test_edit__draft__is_written_again_with_its_salt(
    session: Session, draft: Drafting, draft_data: Data, actor: Actor, now: datetime
) -> None:
    before = draft()
    variants = [
        {"key": "control", "control": True, "weight": 0.5},
        {"key": "new", "weight": 0.5, "content": "New"},
    ]
    data = draft_data(name="Better", variants=variants)
    after = service.edit(session, "headline", data, actor=actor, now=now)
    assert (after.name, after.salt) == ("Better", before.salt)
    assert [variant.key for variant in after.variants] == ["control", "new"]
    with pytest.raises(InvalidError, match="must stay 'headline'"):
        service.edit(session, "headline", draft_data(key="x"), actor=actor, now=now)


def test_edit__started__is_refused_with_the_way_out(
    session: Session, running: ExperimentOut, draft_data: Data, actor: Actor, now: datetime
) -> None:
    with pytest.raises(ConflictError, match="Open a phase for another coverage"):
        service.edit(session, "headline", draft_data(name="Late"), actor=actor, now=now)


def test_start__draft__opens_the_first_phase(running: ExperimentOut, now: datetime) -> None:
    assert (running.status, running.started_at) == (Status.RUNNING, now)
    (phase,) = running.phases
    assert (phase.number, phase.started_at, phase.coverage) == (1, now, 1.0)
    assert phase.weights == {"control": 0.5, "pain": 0.3, "gain": 0.2}


def test_start__check_forbids_it__names_the_fields_and_changes_nothing(
    session: Session, draft: Drafting, actor: Actor, now: datetime
) -> None:
    before = draft(slot="nothing", primary_metric="none")
    with pytest.raises(InvalidError) as caught:
        service.start(session, "headline", actor=actor, now=now)
    assert {problem.pointer for problem in caught.value.problems} == {"/slot", "/primary_metric"}
    assert queries.experiment(session, "headline") == before


def test_check__another_on_the_slot__is_found_until_it_has_ended(
    session: Session, running: ExperimentOut, draft: Drafting, actor: Actor, now: datetime
) -> None:
    draft(key="second")
    (finding,) = queries.check(session, "second")
    assert (finding.check, finding.field) == ("overlap", "/slot")
    service.stop(session, "headline", reason="done", actor=actor, now=now)
    assert queries.check(session, "second") == []


def test_start__paused__must_be_resumed(
    session: Session, running: ExperimentOut, actor: Actor, now: datetime
) -> None:
    service.pause(session, "headline", reason="bug", actor=actor, now=now)
    with pytest.raises(ConflictError, match="resume it instead"):
        service.start(session, "headline", actor=actor, now=now)
    resumed = service.resume(session, "headline", actor=actor, now=now)
    assert (resumed.status, len(resumed.phases)) == (Status.RUNNING, 1)
    with pytest.raises(ConflictError, match="nothing to resume"):
        service.resume(session, "headline", actor=actor, now=now)


def test_life__to_the_end__is_stamped_and_audited(
    session: Session, running: ExperimentOut, actor: Actor, now: datetime
) -> None:
    stopped = service.stop(
        session, "headline", reason="enough", actor=actor, now=now + timedelta(days=28)
    )
    assert (stopped.status, stopped.stopped_at) == (Status.MATURING, now + timedelta(days=28))
    end = now + timedelta(days=42)
    service.conclude(session, "headline", Status.DECIDED, actor=actor, now=end)
    later = end + timedelta(days=1)
    kept = service.conclude(session, "headline", Status.KEPT, actor=actor, now=later)
    assert (kept.status, kept.ended_at) == (Status.KEPT, end)
    service.archive(session, "headline", actor=actor, now=later)
    actions = [entry.action for entry in audit.entries(session, subject_key="headline")]
    assert actions[::-1] == [
        "experiment.created",
        "experiment.started",
        "experiment.maturing",
        "experiment.decided",
        "experiment.kept",
        "experiment.archived",
    ]


def test_refused_step__caught__has_changed_nothing(
    session: Session, draft: Drafting, actor: Actor, now: datetime
) -> None:
    before = draft()
    with pytest.raises(ConflictError):
        service.stop(session, "headline", actor=actor, now=now)
    with pytest.raises(ConflictError):
        service.conclude(session, "headline", Status.KEPT, actor=actor, now=now)
    assert queries.experiment(session, "headline") == before


def test_abort__running__needs_a_reason_and_ends_it(
    session: Session, running: ExperimentOut, actor: Actor, now: datetime
) -> None:
    with pytest.raises(InvalidError, match="say why"):
        service.abort(session, "headline", reason=" ", actor=actor, now=now)
    ended = service.abort(session, "headline", reason="broken", actor=actor, now=now)
    assert (ended.status, ended.stopped_at, ended.ended_at) == (Status.ABORTED, now, now)


def test_open_phase__running__is_a_new_stratum(
    session: Session, running: ExperimentOut, actor: Actor, now: datetime
) -> None:
    weights = {"control": 0.2, "pain": 0.4, "gain": 0.4}
    later = now + timedelta(days=3)
    data = PhaseIn(weights=weights, reason="more data on both")
    changed = service.open_phase(session, "headline", data, actor=actor, now=later)
    first, second = changed.phases
    assert first == running.phases[0]
    assert (second.number, second.started_at, second.weights) == (2, later, weights)
    assert changed.plan == running.plan


def test_open_phase__not_started__is_refused(
    session: Session, draft: Drafting, actor: Actor, now: datetime
) -> None:
    draft()
    with pytest.raises(ConflictError, match="edit the draft"):
        service.open_phase(
            session, "headline", PhaseIn(coverage=1, reason="r"), actor=actor, now=now
        )


def test_remove_variant__treatment__stays_out_of_later_phases(
    session: Session, running: ExperimentOut, actor: Actor, now: datetime
) -> None:
    changed = service.remove_variant(
        session, "headline", "gain", reason="harm", actor=actor, now=now
    )
    assert changed.phases[-1].weights == pytest.approx({"control": 0.625, "pain": 0.375})
    assert [arm.key for arm in changed.variants if arm.removed_at == now] == ["gain"]
    data = PhaseIn(weights={"control": 0.5, "pain": 0.4, "gain": 0.1}, reason="back?")
    with pytest.raises(InvalidError, match="exactly the active variants: control, pain"):
        service.open_phase(session, "headline", data, actor=actor, now=now)
    for variant in ("control", "pain"):
        with pytest.raises(ConflictError, match="stop the experiment instead"):
            service.remove_variant(session, "headline", variant, reason="r", actor=actor, now=now)
    with pytest.raises(NotFoundError):
        service.remove_variant(session, "headline", "gain", reason="r", actor=actor, now=now)


def test_schedule__without_a_time__is_refused(
    session: Session, draft: Drafting, actor: Actor, now: datetime
) -> None:
    draft()
    with pytest.raises(InvalidError, match="starts_at"):
        service.schedule(session, "headline", actor=actor, now=now)


def test_start_due__twice__starts_once_and_only_what_is_due(
    session: Session, draft: Drafting, actor: Actor, now: datetime
) -> None:
    draft(starts_at=now + timedelta(hours=1))
    draft(
        key="later",
        touchpoint="plan_page",
        slot="plan_claim",
        starts_at=now + timedelta(days=9),
    )
    for key in ("headline", "later"):
        service.schedule(session, key, actor=actor, now=now)
    due = now + timedelta(hours=1)
    assert service.start_due(session, actor=actor, now=now) == []
    assert service.start_due(session, actor=actor, now=due) == ["headline"]
    assert service.start_due(session, actor=actor, now=due) == []
    assert queries.experiment(session, "headline").started_at == due
    assert queries.experiment(session, "later").status is Status.SCHEDULED


def test_start_due__no_longer_sound__becomes_a_draft_with_the_reason(
    session: Session, draft: Drafting, draft_data: Data, actor: Actor, now: datetime
) -> None:
    draft(starts_at=now)
    service.schedule(session, "headline", actor=actor, now=now)
    broken = draft_data(starts_at=now, slot="nothing")
    service.edit(session, "headline", broken, actor=actor, now=now)
    assert service.start_due(session, actor=actor, now=now) == ["headline"]
    assert queries.experiment(session, "headline").status is Status.DRAFT
    newest = audit.entries(session, subject_key="headline")[0]
    assert "has no slot 'nothing'" in newest.reason


def test_stop_due__maximum_days_over__stops_once(
    session: Session, running: ExperimentOut, actor: Actor, now: datetime
) -> None:
    last = now + timedelta(days=28)
    almost = last - timedelta(seconds=1)
    assert service.stop_due(session, actor=actor, now=almost) == []
    assert service.stop_due(session, actor=actor, now=last) == ["headline"]
    assert service.stop_due(session, actor=actor, now=last) == []
    assert queries.experiment(session, "headline").stopped_at == last


def test_experiments__by_state_journey_and_page__are_in_order(
    session: Session, draft: Drafting, actor: Actor, now: datetime
) -> None:
    made = [draft(key=key) for key in ("b", "a", "c")]
    service.start(session, "a", actor=actor, now=now)
    assert [found.key for found in queries.experiments(session)] == ["b", "a", "c"]
    assert [found.key for found in queries.experiments(session, [Status.RUNNING])] == ["a"]
    assert [found.key for found in queries.experiments(session, journey="shop")] == ["b", "a", "c"]
    after = queries.experiments(session, after=made[0].id, limit=1)
    assert [found.key for found in after] == ["a"]
    with pytest.raises(NotFoundError):
        queries.experiments(session, journey="none")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"variants": [{"key": "c", "control": True}, {"key": "c", "content": "x"}]}, "same key"),
        (
            {
                "variants": [
                    {"key": "c", "control": True, "weight": 0.5},
                    {"key": "b", "weight": 0.4, "content": "x"},
                ]
            },
            "the weights sum to 0.9",
        ),
        ({"audience": {"age": {"$gt": "30"}}}, "write 30 without quotes"),
        ({"plan": {"minimum_days": 10}}, "whole weeks, so 7 or 14"),
        ({"place": {"layer": "l", "start": 0.5, "end": 0.5}}, "smaller than end"),
        ({"starts_at": "2026-03-02T09:00:00"}, "must carry a time zone"),
        ({"colour": "red"}, "unknown field"),
    ],
)
def test_experiment_in__bad_field__says_the_fix(
    draft_data: Data, changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(InvalidError, match=words):
        draft_data(**changes)
