"""Describing a trial of written visitors, on both databases."""

from datetime import timedelta

import pytest
from sqlalchemy import insert

from experiments.analysis.service import analyse
from experiments.assignment.models import Attribute
from experiments.descriptions.queries import description, undescribed
from experiments.descriptions.service import describe, write
from experiments.personas import service as personas
from experiments.personas.schemas import PersonaIn
from stats.results import NotEstimable

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def know(trial, visitors, value, *, at):
    rows = [
        {"visitor_id": one, "key": "device", "value": value, "source": "web", "as_of": at}
        for one in visitors
    ]
    trial.session.connection().execute(insert(Attribute), rows)


def test_describe__visitors_of_two_devices__tells_time_and_groups(start_trial, act, now):
    trial = start_trial()
    trial.expose("control", 150, acts=[act("Signed Up", 2.5), act("Signed Up", 9)])
    trial.expose("control", 150)
    trial.expose("bold", 200, acts=[act("Signed Up", 5)])
    # These have been there for ten hours, and what they did in the eleventh is not counted yet.
    trial.expose("bold", 40, at=now + 15 * HOUR, acts=[act("Signed Up", 9.9)])
    know(trial, range(1, 121), "phone", at=now - HOUR)
    know(trial, range(121, 301), "desktop", at=now)
    know(trial, range(301, 421), "phone", at=now)
    know(trial, range(421, 451), "desktop", at=now)
    # What is known only since after the exposure may be what the treatment did.
    know(trial, range(451, 501), "desktop", at=now + HOUR)
    persona = PersonaIn(key="mobile", name="On the move", rule={"device": "phone"})
    personas.create(trial.session, persona, actor=trial.actor, now=now)
    analyse(trial.session, trial.key, now=now + DAY + HOUR)

    described = describe(trial.session, trial.key)

    control, bold = described.time_to_convert.courses
    assert described.time_to_convert.hours[:3] == [0.4, 0.8, 1.2]
    assert (control.visitors, bold.visitors) == (300, 240)
    assert [control.converted[5], control.converted[6]] == [0, 0.5]
    assert control.half_hours == pytest.approx(2.8)
    assert bold.converted[12] == pytest.approx(200 / 240)
    by_persona, by_device = described.segments
    found = [(group.value, group.visitors) for group in by_persona.groups]
    assert found == [("On the move", 240), ("no persona", 260)]
    assert [(g.value, g.visitors, g.control) for g in by_device.groups][1] == ("phone", 240, 1)
    assert by_device.groups[0].visitors == 210
    assert by_device.groups[0].effect == NotEstimable("fewer than 100 matured visitors in an arm")

    write(trial.session, described)
    told = description(trial.session, trial.key, withheld="too early")
    assert told is not None
    assert {group.effect for group in told.segments[0].groups} == {NotEstimable("too early")}


def test_write__older_description__does_not_replace_a_newer_one(start_trial, act, now):
    trial = start_trial()
    trial.expose("control", 5, acts=[act("Signed Up")])
    analyse(trial.session, trial.key, now=now + HOUR)
    older = describe(trial.session, trial.key)
    trial.expose("bold", 5)
    analyse(trial.session, trial.key, now=now + 8 * HOUR)
    newer = describe(trial.session, trial.key)

    for described in (newer, older):
        write(trial.session, described)

    assert description(trial.session, trial.key, withheld="") == newer


def test_undescribed__looks_come_hourly__waits_some_hours(start_trial, now):
    trial = start_trial()
    assert undescribed(trial.session) == []
    for hours, wanted in ((1, True), (3, False), (8, True)):
        trial.expose("control")
        analyse(trial.session, trial.key, now=now + hours * HOUR)
        assert undescribed(trial.session) == [trial.key] * wanted
        if wanted:
            write(trial.session, describe(trial.session, trial.key))
    assert undescribed(trial.session) == []
