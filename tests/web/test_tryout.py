"""The demonstration: offered where nothing is real, looked at, left, removed with a click."""

import os
import shutil
import time
from datetime import timedelta

import pytest

from experiments.accounts.schemas import Role
from experiments.database import reading, transaction
from experiments.errors import ConflictError
from experiments.journeys import queries, service
from experiments.journeys.schemas import TemplateIn
from experiments.runtime import open_runtime
from experiments.simulation import demo, tryout
from experiments.simulation.tryout import Phase


@pytest.fixture
def settings(app):
    return app.extensions["desireline"].settings


@pytest.fixture
def made(settings, migrated_sqlite, clock, actor, now):
    """A finished demonstration with a journey of its own."""
    own = tryout.own_settings(settings)
    own.data_dir.mkdir(parents=True)
    shutil.copyfile(migrated_sqlite, own.data_dir / "desireline.db")
    opened = open_runtime(own, clock)
    pretended = TemplateIn(key="pretended", name="Pretended insurer", template="signup")
    with transaction(opened.engine) as session:
        service.create_from_template(session, pretended, actor=actor, now=now)
    demo.finish(opened)
    opened.close()


def test_start__nothing_real__offers_it_to_who_may_make_it(alice, browser):
    assert "Show me a demonstration" in alice.get("/start")
    assert "An administrator can make it" in browser(Role.EDITOR).get("/start")


def test_start__real_journey__offers_it_no_more(alice, signup):
    assert "demonstration" not in alice.get("/start")
    assert "There are real data here" in alice.post("/start/demo", 409)


def test_visit__finished__shows_its_data_marked_until_it_is_left(alice, bob, made, database):
    assert "Pretended insurer" not in alice.get("/journeys")
    alice.post("/start/demo/visit")

    page = alice.get("/journeys")
    assert "Pretended insurer" in page
    assert "<strong>Demonstration.</strong>" in page
    assert "Pretended insurer" not in bob.get("/journeys")
    assert "alice" not in page
    assert "admin@example.org" in alice.get("/settings")

    assert "Pretended insurer" not in alice.post("/start/demo/leave")
    assert "Pretended insurer" not in alice.get("/journeys")


def test_visit__something_tried_in_it__never_touches_what_is_real(alice, made, database):
    alice.post("/start/demo/visit")
    alice.post("/journeys/new", template="signup", name="Tried", key="tried")

    assert "Tried" in alice.get("/journeys")
    with reading(database) as session:
        assert queries.journeys(session) == []


def test_remove__one_click__leaves_nothing_and_ends_the_visit(alice, made, settings, now):
    alice.post("/start/demo/visit")
    assert "is removed" in alice.post("/start/demo/remove")

    assert tryout.state(settings, now=now).phase is Phase.ABSENT
    assert not tryout.folder(settings).exists()
    assert "Pretended insurer" not in alice.get("/journeys")


def test_page__on_its_way__tells_the_day_and_looks_again(alice, settings, now):
    log = settings.data_dir / "demo.log"
    log.write_text("day 4 of 34: 256 visitors\nday 8 of 34: 512 visitors, 900 events\n")
    os.utime(log, (now.timestamp(), now.timestamp()))

    response = alice.client.get("/start/demo")
    assert response.headers["Refresh"] == "2"
    assert "Day 8 of 34" in response.text
    assert "512 visitors, 900 events" in response.text
    assert "on its way" in alice.post("/start/demo", 409)
    alice.post("/start/demo/remove", 409)

    long_ago = (now - timedelta(hours=1)).timestamp()
    os.utime(log, (long_ago, long_ago))
    assert "has not gone on" in alice.get("/start/demo")
    alice.post("/start/demo/remove")
    assert tryout.state(settings, now=now).phase is Phase.ABSENT


def test_changes__somebody_who_views__may_look_but_not_make_or_remove(bob, made):
    bob.post("/start/demo", 403)
    bob.post("/start/demo/remove", 403)
    assert "Pretended insurer" in bob.post("/start/demo/visit") + bob.get("/journeys")


@pytest.mark.slow
def test_load__empty_installation__is_there_after_a_while(settings, now):
    tryout.load(settings)
    with pytest.raises(ConflictError, match="on its way"):
        tryout.load(settings)

    for _ in range(600):
        if tryout.made_at(settings) is not None:
            break
        time.sleep(1)

    assert tryout.state(settings, now=now).phase is Phase.READY
    opened = open_runtime(tryout.own_settings(settings))
    with reading(opened.engine) as session:
        assert queries.journey(session, "insurance").standard == 2
    opened.close()
