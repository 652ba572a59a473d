from collections.abc import Callable

import orjson
import pytest
from flask import Flask
from sqlmodel import Session

from api.ofrep import _said
from api.sheet import Sheet
from experiments.assignment.schemas import StoredArm
from experiments.database import transaction
from experiments.design.schemas import ExperimentOut
from experiments.resolution.enrolment import Question
from experiments.resolution.evaluation import Answered, answers
from experiments.resolution.flags import flags
from experiments.resolution.ladder import Place, climb
from experiments.resolution.ruleset import Ruleset

VISITORS = [f"visitor-{number}" for number in range(20)]
NOT_AN_ARM = 999


@pytest.fixture
def ruleset(
    app: Flask, signup: Callable[[Session], None], launch: Callable[..., ExperimentOut]
) -> Ruleset:
    opened = app.extensions["desireline"]
    with transaction(opened.engine) as session:
        signup(session)
        launch(session)
    return opened.rulesets.current()


def test_fill__whatever_arm_is_stored__says_what_each_flag_says_alone(ruleset: Ruleset) -> None:
    sheet = Sheet(ruleset, _said)
    points = ruleset.journeys["signup"].touchpoints.values()
    rule = next(slot.live[0] for point in points for slot in point.slots.values() if slot.live)
    shown = set()
    for stored in (None, *(arm.id for arm in rule.arms), NOT_AN_ARM):
        arms = {} if stored is None else {rule.id: StoredArm(stored, rule.phase_id, 0)}
        for visitor in VISITORS:
            question = Question(visitor, {"id": visitor}, arms)
            told = orjson.loads(sheet.fill(question)[0])["flags"]
            alone = [_said(Answered(*found), True) for found in answers(ruleset, question)]
            expected = [item for item in orjson.loads(orjson.dumps(alone)) if item is not None]
            assert sorted(told, key=lambda item: item["key"]) == expected
            for flag, item in zip(flags(ruleset).values(), alone, strict=True):
                place = Place(flag.journey.key, flag.touchpoint.key, (flag.slot.key,))
                said = sheet.one(flag, climb(ruleset, place, question))
                assert said == (b"" if item is None else orjson.dumps(item))
            shown.add((stored, next(item["variant"] for item in told if item["key"] == rule.key)))
    assert len(shown) == len(rule.arms) * 3  # both where nothing of use is stored, else one each
