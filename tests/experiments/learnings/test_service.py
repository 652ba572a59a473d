"""What ended tests leave behind, on both databases: once, in words, to be found and asked again."""

from datetime import timedelta

import pytest

from experiments.analysis.service import analyse
from experiments.audit.queries import entries
from experiments.audit.schemas import Actor, ActorKind
from experiments.decisions.service import decide
from experiments.design import service as design
from experiments.design.plans import Plan, PromotionMode
from experiments.design.schemas import Status
from experiments.errors import NotFoundError
from experiments.journeys import queries as journeys
from experiments.learnings import queries, service
from experiments.learnings.schemas import LearningIn, Search, Strength

DAY = timedelta(days=1)
YEAR = timedelta(days=365)
JOB = Actor(kind=ActorKind.JOB, name="learn")


@pytest.fixture
def ended(start_trial, act, actor):
    """Plays a trial day by day until the gate or the calendar ends it."""

    def play(rates, *, key="headline", days=8, per_day=120):
        trial = start_trial(key, plan=Plan(promotion=PromotionMode.AUTOMATIC, maximum_days=14))
        for day in range(days):
            at = trial.started_at + day * DAY
            for variant, rate in rates.items():
                converted = round(per_day * rate)
                trial.expose(variant, converted, at=at, acts=[act("Signed Up", 1)])
                trial.expose(variant, per_day - converted, at=at)
        now = trial.started_at + (days + 1) * DAY
        analyse(trial.session, trial.key, now=now)
        decide(trial.session, trial.key, actor=actor, now=now)
        return trial, now

    return play


def test_learn__winner__says_what_it_brings_and_is_strong(ended, session):
    trial, now = ended({"control": 0.15, "bold": 0.30})
    found = service.learn(session, trial.key, actor=JOB, now=now)
    assert found.strength is Strength.STRONG
    assert found.statement.startswith("At Landing page, \u201cbold!\u201d improves Signed up")
    assert "+100.0% measured" in found.statement
    assert (found.journey, found.stage, found.touchpoint) == ("shop", "visit", "landing_page")
    (figure,) = found.evidence.figures
    assert figure.visitors == 8 * 120
    assert figure.believed.value < figure.effect_rel.value
    assert found.evidence.outcome == "promote"
    assert found.review_by == found.ended_at + YEAR


def test_learn__twice__is_written_and_audited_once(ended, session):
    trial, now = ended({"control": 0.15, "bold": 0.30})
    first = service.learn(session, trial.key, actor=JOB, now=now)
    assert service.learn(session, trial.key, actor=JOB, now=now + DAY) == first
    assert [e.action for e in entries(session)].count("learning.written") == 1
    assert queries.unlearned(session, limit=10) == []


def test_learn__still_running__leaves_nothing(start_trial, session, now):
    trial = start_trial()
    assert service.learn(session, trial.key, actor=JOB, now=now) is None
    assert queries.unlearned(session, limit=10) == []


def test_learn__harm__is_a_strong_learning_too(ended, session):
    trial, now = ended({"control": 0.4, "bold": 0.15}, days=4)
    assert trial.experiment.status is Status.ABORTED
    found = service.learn(session, trial.key, actor=JOB, now=now)
    assert found.strength is Strength.STRONG
    assert "does harm to Signed up" in found.statement


def test_learn__no_gain_at_the_end__is_a_learning_too(ended, session):
    trial, now = ended({"control": 0.4, "bold": 0.35}, days=14)
    assert trial.experiment.ended_at is not None
    found = service.learn(session, trial.key, actor=JOB, now=now)
    assert found.strength is Strength.STRONG
    assert "bold: \u2212" in found.statement.replace("-", "\u2212")


def test_learn__ended_by_a_person_before_a_look__is_weak_and_says_why(
    start_trial, session, actor, now
):
    trial = start_trial()
    design.abort(session, trial.key, reason="The shop closes.", actor=actor, now=now)
    assert queries.unlearned(session, limit=10) == [trial.key]
    found = service.learn(session, trial.key, actor=JOB, now=now)
    assert found.strength is Strength.WEAK
    assert found.statement.endswith("nobody was counted. The shop closes.")
    assert found.evidence.outcome is None


def test_learn__broken_split__says_that_nothing_can_be_said(start_trial, session, actor, now):
    trial = start_trial()
    trial.expose("control", 900)
    trial.expose("bold", 500)
    analyse(session, trial.key, now=now + DAY)
    design.abort(session, trial.key, reason="broken", actor=actor, now=now + DAY)
    found = service.learn(session, trial.key, actor=JOB, now=now + DAY)
    assert found.strength is Strength.VOID
    assert "the data cannot be trusted" in found.statement


@pytest.fixture
def two(start_trial, session, actor, now):
    """Two learnings, the first of them edited."""
    for key in ("first", "second"):
        trial = start_trial(key)
        design.abort(session, key, reason=f"Reason of {key}.", actor=actor, now=now)
        service.learn(session, trial.key, actor=JOB, now=now)
    data = LearningIn(
        statement="Gr\u00d6\u00dfe z\u00e4hlt, 100% sicher",
        persona="saver",
        tags=["frame:gain", "b"],
    )
    first = queries.of_experiment(session, "first")
    return service.edit(session, first.id, data, actor=actor, now=now)


SEARCHES = [
    ({}, ["second", "first"]),
    ({"text": "gr\u00f6\u00dfe Z\u00c4HLT"}, ["first"]),
    ({"text": "100%"}, ["first"]),
    ({"text": "%"}, ["first"]),
    ({"text": "reason of"}, ["second"]),
    ({"tag": "frame:gain"}, ["first"]),
    ({"tag": "frame"}, []),
    ({"persona": "saver"}, ["first"]),
    ({"journey": "shop", "touchpoint": "landing_page"}, ["second", "first"]),
    ({"journey": "other"}, []),
    ({"stage": "visit"}, ["second", "first"]),
    ({"strength": "strong"}, []),
    ({"due": True}, []),
]


def test_search__by_words_and_scope__finds_the_same_on_every_database(session, two, now, subtests):
    for asked, keys in SEARCHES:
        with subtests.test(asked=asked):
            search = Search.model_validate(asked)
            assert [item.experiment for item in queries.search(session, search, now=now)] == keys
            assert queries.count(session, search, now=now) == len(keys)


def test_edit__other_words__keeps_the_first_ones_and_is_audited(session, two):
    assert two.statement.startswith("Gr")
    assert two.written.startswith("At Landing page")
    assert two.tags == ["b", "frame:gain"]
    (entry,) = [item for item in entries(session) if item.action == "learning.edited"]
    assert entry.detail["tags"] == {"before": [], "after": ["b", "frame:gain"]}


def test_edit__unknown_number__is_not_found(session, actor, now):
    with pytest.raises(NotFoundError):
        service.edit(session, 7, LearningIn(statement="x"), actor=actor, now=now)


def test_retest__due__is_drafted_once_and_is_due_no_more(session, two, actor, now, rng):
    later = now + YEAR
    assert len(queries.search(session, Search(due=True), now=later)) == 2
    draft = service.retest(session, two.id, rng=rng, actor=actor, now=later)
    assert (draft.key, draft.status) == ("first.again", Status.DRAFT)
    assert two.statement in draft.hypothesis.because
    assert service.retest(session, two.id, rng=rng, actor=actor, now=later).key == draft.key
    assert [x.experiment for x in queries.search(session, Search(due=True), now=later)] == [
        "second"
    ]
    assert queries.learning(session, two.id).retest == "first.again"


def test_retest__winner_is_the_standard__asks_whether_the_earlier_content_is_better(
    ended, session, actor, rng
):
    trial, now = ended({"control": 0.15, "bold": 0.30})
    found = service.learn(session, trial.key, actor=JOB, now=now)
    before = journeys.version(session, "shop", 1).graph.slot("landing_page", "hero_headline")
    payload = journeys.content(session, "shop", before.content, before.content_version).payload
    draft = service.retest(session, found.id, rng=rng, actor=actor, now=now)
    assert [arm.content for arm in draft.treatments] == [payload]
    assert draft.base_version == 2


def test_by_touchpoint__several_learnings__are_counted_with_the_newest(session, two):
    noted = queries.by_touchpoint(session, "shop")
    assert list(noted) == ["landing_page"]
    assert (noted["landing_page"].number, noted["landing_page"].newest.experiment) == (2, "second")
