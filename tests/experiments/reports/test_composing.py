"""From facts to a report."""

from datetime import UTC, datetime, timedelta

from experiments.decisions.schemas import Outcome
from experiments.design.schemas import Status
from experiments.probation.track_record import track_record
from experiments.reports.composing import MOST_ENTRIES, compose
from experiments.reports.schemas import Facts, Judgement, Waiting

SINCE = datetime(2026, 2, 23, tzinfo=UTC)


def judgement(outcome: Outcome, number: int = 0) -> Judgement:
    return Judgement(
        experiment=f"test-{number}",
        name="A test",
        journey="signup",
        outcome=outcome,
        variant=None,
        sentence="So it is.",
        at=SINCE,
        actor="job:decide",
        rule=[],
        worth=None,
        worth_unknown="Nothing was promoted, so nothing is claimed.",
    )


def facts(judgements=(), waiting=()) -> Facts:
    return Facts(
        week="2026-W09",
        since=SINCE,
        until=SINCE + timedelta(days=7),
        as_of=SINCE + timedelta(days=7),
        changes=[],
        judgements=list(judgements),
        taken_back=[],
        approvals=[],
        waiting=list(waiting),
        probations=[],
        track_record=track_record([]),
        shipped=[],
        alarms=[],
        learned=[],
        due=[],
        funnels=[],
    )


def test_compose__nothing_happened__says_so():
    assert compose(facts()).headline == "No standard journey changed. No test came to its end."


def test_compose__several_outcomes__each_is_in_its_place():
    body = compose(facts(judgement(outcome) for outcome in Outcome))

    assert [item.outcome for item in body.promoted] == [Outcome.PROMOTE]
    assert [item.outcome for item in body.harmful] == [Outcome.ABORT]
    assert Outcome.INCONCLUSIVE in [item.outcome for item in body.nothing_to_conclude]
    assert "1 with a proven winner" in body.headline


def test_compose__thousands_of_tests__are_counted_and_not_listed():
    kept = [judgement(Outcome.KEEP, number) for number in range(2400)]
    won = [judgement(Outcome.PROMOTE, number) for number in range(38)]

    body = compose(facts(kept + won))

    assert len(body.nothing_to_conclude) == len(body.promoted) == MOST_ENTRIES
    assert body.judgements_left_out == 2438 - 2 * MOST_ENTRIES
    assert body.outcomes == {Outcome.KEEP: 2400, Outcome.PROMOTE: 38}
    assert body.headline.endswith("2438 tests came to their end: 38 with a proven winner.")


def test_compose__many_wait__the_rest_is_counted():
    one = Waiting(
        experiment="x", name="X", journey="signup", state=Status.RUNNING, needs="3 of 7 days."
    )

    body = compose(facts(waiting=[one] * (MOST_ENTRIES + 3)))

    assert len(body.waiting) == MOST_ENTRIES
    assert body.waiting_left_out == 3
