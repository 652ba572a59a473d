"""Killed between any two writes, a step of a decision leaves nothing behind and can run again."""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from itertools import count

import pytest
from sqlalchemy import select

from experiments.analysis.service import analyse
from experiments.audit.models import AuditEntry
from experiments.database import reading, transaction
from experiments.decisions import queries
from experiments.decisions.service import decide
from experiments.decisions.settling import approve, decline, rebase, revert_promotion
from experiments.design.plans import Plan, PromotionMode
from experiments.journeys import queries as journeys
from experiments.journeys import service as journey_service
from experiments.journeys.schemas import ContentIn, VersionIn
from experiments.tables import metadata
from tests.killing import KilledError, killed_at

DAY = timedelta(days=1)
WINNER = {"control": 0.4, "bold": 0.8}
OF_VISITORS = {"visitor", "assignment", "exposure", "event"}
HARMED = {"control": 0.6, "bold": 0.05, "calm": 0.6}
LOSER = {"control": 0.6, "bold": 0.05}


def everything(engine) -> dict[str, list[str]]:
    """Every row, as text, of every table but those that grow with the visitors."""
    with reading(engine) as session:
        return {
            table.name: sorted(str(tuple(row)) for row in session.execute(table.select()))
            for table in metadata().sorted_tables
            if table.name not in OF_VISITORS
        }


def audited(engine) -> Counter[str]:
    with reading(engine) as session:
        return Counter(session.scalars(select(AuditEntry.action)))


@pytest.fixture
def prepare(start_trial, session, act, actor, now) -> Callable[..., int]:
    """Runs an experiment for eight days and looks at it; then as far as asked for, and commits."""

    def play(rates, *, mode=PromotionMode.AUTOMATIC, steps=(), changed=False) -> None:
        treatments = tuple(key for key in rates if key != "control")
        trial = start_trial(treatments=treatments, plan=Plan(promotion=mode, maximum_days=14))
        for variant, rate in rates.items():
            trial.expose(variant, round(300 * rate), acts=[act("Signed Up", 1)])
            trial.expose(variant, 300 - round(300 * rate))
        trial.expose("control", at=now + 8 * DAY)
        if changed:
            _change_by_hand(session, actor, now)
        analyse(session, trial.key, now=now + 9 * DAY)
        for step in steps:
            step(session, actor=actor, now=now + 9 * DAY)
        session.commit()

    return play


def _change_by_hand(session, actor, now) -> None:
    data = ContentIn(key="by-hand", type="string", payload="By hand")
    journey_service.add_content(session, "shop", data, actor=actor, now=now)
    journey_service.approve_content(session, "shop", "by-hand", 1, actor=actor, now=now)
    document = journeys.standard(session, "shop").graph.model_dump(mode="json")
    slot = {"content": "by-hand", "content_version": 1}
    document["stages"][0]["touchpoints"][0]["slots"][0] |= slot
    version = VersionIn(graph=document)
    made = journey_service.draft_version(session, "shop", version, actor=actor, now=now)
    journey_service.publish(session, "shop", made.number, reason="hand", actor=actor, now=now)


judge = partial(decide, key="headline")
settle = {
    "approve": partial(approve, promotion_id=1),
    "decline": partial(decline, promotion_id=1, reason="no"),
    "rebase": partial(rebase, promotion_id=1, reason="yes"),
    "revert": partial(revert_promotion, promotion_id=1, reason="back"),
}
ASK = {"mode": PromotionMode.ASK, "steps": (judge,)}


@pytest.mark.parametrize(
    ("prepared", "act_of", "expected"),
    [
        (
            {"rates": WINNER},
            judge,
            {"experiment.judged", "promotion.proposed", "promotion.applied", "journey.published"},
        ),
        ({"rates": HARMED}, judge, {"experiment.variant_removed"}),
        ({"rates": LOSER}, judge, {"experiment.judged", "experiment.aborted"}),
        ({"rates": WINNER, **ASK}, settle["approve"], {"promotion.applied", "journey.published"}),
        ({"rates": WINNER, **ASK}, settle["decline"], {"promotion.declined", "experiment.kept"}),
        (
            {"rates": WINNER, "changed": True, **ASK},
            settle["rebase"],
            {"promotion.rebased", "experiment.promoted"},
        ),
        (
            {"rates": WINNER, "steps": (judge,)},
            settle["revert"],
            {"promotion.rolled_back", "journey.published"},
        ),
    ],
    ids=["promote", "take-out", "abort", "approve", "decline", "rebase", "revert"],
)
def test_decision__killed_at_each_write__leaves_nothing_and_is_done_once(
    prepared, act_of, expected, prepare, engine, actor, now
):
    prepare(**prepared)
    before, at = everything(engine), now + 10 * DAY
    audited_before = audited(engine)
    for number in count(1):
        try:
            with killed_at(engine, number), transaction(engine) as session:
                act_of(session, actor=actor, now=at)
            break
        except KilledError:
            assert everything(engine) == before, number
    assert number > 4
    done = everything(engine)
    new = audited(engine) - audited_before
    assert expected <= new.keys()
    assert {new[action] for action in expected} == {1}
    with transaction(engine) as session:
        act_of(session, actor=actor, now=at + DAY)
    assert everything(engine) == done


def test_decide__killed_after_the_commit__a_second_run_changes_nothing(prepare, engine, actor, now):
    prepare(WINNER)
    for day in (10, 11):
        with transaction(engine) as session:
            judge(session, actor=actor, now=now + day * DAY)
    with reading(engine) as session:
        assert len(queries.promotions(session)) == 1
