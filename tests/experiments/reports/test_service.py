"""The report of a week over a real promotion, on both databases."""

from datetime import UTC, datetime, timedelta

import pytest

from experiments.analysis.service import analyse
from experiments.decisions.service import decide
from experiments.decisions.settling import revert_promotion
from experiments.design import service as design
from experiments.design.schemas import Status
from experiments.errors import InvalidError, NotFoundError
from experiments.reports import queries, service
from experiments.reports.gathering import NO_LOOK

DAY = timedelta(days=1)
# The trial starts on Monday 2 March 2026, in week 10; the winner is promoted in week 11.
END_OF_10 = datetime(2026, 3, 9, 1, tzinfo=UTC)
DECIDED_AT = datetime(2026, 3, 11, 9, tzinfo=UTC)
END_OF_11 = datetime(2026, 3, 16, 1, tzinfo=UTC)


@pytest.fixture
def trial(start_trial, act):
    """Eight days of visitors, of whom twice as many sign up when the headline is bold."""
    trial = start_trial()
    for day in range(8):
        for variant, signed_up in (("control", 18), ("bold", 36)):
            at = trial.started_at + day * DAY
            trial.expose(variant, signed_up, at=at, acts=[act("Page Viewed"), act("Signed Up")])
            trial.expose(variant, 120 - signed_up, at=at, acts=[act("Page Viewed")])
    return trial


@pytest.fixture
def promoted(trial, actor):
    analyse(trial.session, trial.key, now=DECIDED_AT)
    return decide(trial.session, trial.key, actor=actor, now=DECIDED_AT)


def recomputed(session, report):
    simulated = report.body.simulated
    return service.fingerprint(
        service.compile_body(session, report.week, as_of=report.as_of, simulated=simulated)
    )


def test_weekly__winner_was_promoted__tells_what_changed_by_which_rule_and_its_worth(
    session, trial, promoted
):
    body = service.weekly(session, now=END_OF_11).body

    assert body.week == "2026-W11"
    (change,) = body.changes
    assert (change.version, change.experiment) == (2, "headline")
    assert [(item.before, item.after) for item in change.reworded] == [
        ("Try it for free.", "bold!")
    ]
    (judgement,) = body.promoted
    assert judgement.sentence == promoted.sentence
    assert len(judgement.rule) > 5
    assert judgement.worth is not None
    assert 0 < judgement.worth.low < judgement.worth.value < judgement.worth.high
    assert judgement.worth.value < 1.0  # 100% was measured; what is told is shrunk
    assert body.waiting == []


def test_weekly__funnel__counts_each_visitor_once_per_stage_and_week(session, trial):
    body = service.weekly(session, now=END_OF_10).body

    stages = {stage.key: stage for stage in body.funnels[0].stages}
    assert stages["visit"].visitors == 7 * 240
    assert stages["signup"].visitors == 7 * 54
    assert (stages["visit"].before, stages["activate"].visitors) == (0, 0)
    eighth_day = service.weekly(session, now=END_OF_11).body.funnels[0].stages[0]
    assert (eighth_day.visitors, eighth_day.before) == (240, 7 * 240)


def test_weekly__called_again__is_the_same_report(session, trial):
    first = service.weekly(session, now=END_OF_10)

    assert service.weekly(session, now=END_OF_10 + DAY) == first
    assert len(queries.reports(session)) == 1


def test_compile__later_than_it_was_written__gives_the_same_bytes(session, trial, act, actor):
    report = service.weekly(session, now=END_OF_10)
    late = act("Page Viewed", after_hours=1, late_by_hours=24 * 10)

    trial.expose("bold", 5, at=trial.started_at, acts=[late])
    analyse(session, trial.key, now=DECIDED_AT)
    decision = decide(session, trial.key, actor=actor, now=DECIDED_AT)
    revert_promotion(
        session, decision.promotion.id, reason="a doubt", actor=actor, now=DECIDED_AT + DAY
    )

    assert trial.experiment.status is Status.PROMOTED
    assert recomputed(session, report) == report.data_hash
    assert report.body.waiting[0].needs == NO_LOOK


def test_fingerprint__one_visitor_more_in_time__is_another(session, trial, act):
    report = service.weekly(session, now=END_OF_10)

    trial.expose("bold", 1, at=trial.started_at, acts=[act("Page Viewed")])

    assert recomputed(session, report) != report.data_hash


def test_weekly__promotion_was_taken_back__says_so(session, trial, promoted, actor):
    revert_promotion(
        session, promoted.promotion.id, reason="a doubt", actor=actor, now=DECIDED_AT + DAY
    )

    body = service.weekly(session, now=END_OF_11).body

    assert [(item.experiment, item.variant) for item in body.taken_back] == [("headline", "bold")]
    assert [item.version for item in body.changes] == [2, 3]


def test_weekly__paused_experiment__waits_as_paused(session, trial, actor):
    design.pause(session, trial.key, reason="holiday", actor=actor, now=trial.started_at + DAY)

    body = service.weekly(session, now=END_OF_10).body
    design.resume(session, trial.key, actor=actor, now=END_OF_10 + DAY)

    assert [(item.experiment, item.state) for item in body.waiting] == [("headline", Status.PAUSED)]
    assert recomputed(session, queries.report(session, "2026-W10")) == service.fingerprint(body)


def test_weekly__split_is_broken__raises_an_alarm(session, start_trial, act):
    trial = start_trial()
    trial.expose("control", 900, at=trial.started_at, acts=[act("Page Viewed")])
    trial.expose("bold", 500, at=trial.started_at, acts=[act("Page Viewed")])
    analyse(session, trial.key, now=trial.started_at + DAY)

    body = service.weekly(session, now=END_OF_10).body

    assert "did not split as planned" in body.alarms[0].sentence


def test_weekly__week_that_still_runs__is_told_up_to_now(session, trial):
    now = trial.started_at + 2.5 * DAY

    report = service.weekly(session, now=now, week="2026-W10")

    assert report.as_of == now
    assert report.body.funnels[0].stages[0].visitors == 3 * 240


def test_so_far__week_still_runs__is_told_and_not_written(session, trial):
    now = trial.started_at + 2.5 * DAY

    report = service.so_far(session, now=now)

    assert report.week == "2026-W10"
    assert report.body.funnels[0].stages[0].visitors == 3 * 240
    assert queries.reports(session) == []


def test_weekly__no_such_week__is_refused(session, now):
    with pytest.raises(InvalidError, match="2026-W60"):
        service.weekly(session, now=now, week="2026-W60")


def test_report__was_not_written__is_not_found(session):
    with pytest.raises(NotFoundError, match="2026-W01"):
        queries.report(session, "2026-W01")


def test_weekly__week_was_over_before_anything_was_done__has_no_report(trial, now):
    assert service.weekly(trial.session, now=now) is None
    assert service.weekly(trial.session, now=END_OF_11, week="2026-W09") is None
    assert queries.reports(trial.session) == []


def test_weekly__nothing_was_ever_done__has_no_report(session, now):
    assert service.weekly(session, now=now) is None
