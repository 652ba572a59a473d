"""An effect that would look like a result is on no page and in no file before its time."""

import csv
import io
import json
from datetime import timedelta

import pytest
from sqlalchemy import insert

from experiments.analysis.service import analyse
from experiments.assignment.models import Assignment, Exposure, Visitor
from experiments.database import transaction
from experiments.decisions.service import decide
from experiments.descriptions.service import describe, write
from experiments.events.models import Event
from experiments.metrics import service as metrics
from experiments.metrics.schemas import MetricIn

ARMS = {"control": (300, 120), "pain": (300, 210)}
DAY = timedelta(days=1)


def fill(session, experiment, now):
    """Visitors on the first day and, so that data are fresh, a few each day after it."""
    phase, number = experiment.phases[0].id, 0
    write_rows = session.connection().execute
    for arm in experiment.variants:
        visitors, converted = ARMS[arm.key]
        for place in range(visitors + 20):
            number += 1
            at = now if place < visitors else now + (place - visitors) * DAY
            row = {"visitor_id": number, "experiment_id": experiment.id}
            row |= {"variant_id": arm.id, "phase_id": phase}
            claim = {"bucket": 0, "propensity": 0.5, "method": "hash", "assigned_at": at}
            write_rows(insert(Visitor), [{"id": number, "created_at": at}])
            write_rows(insert(Assignment), [{**row, **claim, "contaminated": False}])
            write_rows(insert(Exposure), [{**row, "first_at": at, "count": 1}])
            if place < converted:
                event = {"source_key": "t", "message_id": str(number), "type": "track"}
                event |= {"name": "Signed Up", "visitor_id": number, "source": "web"}
                then = at + (1 + number % 3) * DAY / 24
                times = {"occurred_at": then, "received_at": then}
                write_rows(insert(Event), [{**event, **times, "properties": {}}])


@pytest.fixture
def look(database, signup, launch, actor, now, clock, alice):
    """Takes a look after some days and lets Alice see it."""
    with transaction(database) as session:
        rule = {"event": "Signed Up"}
        day = MetricIn(key="day", name="Within a day", rule=rule, window_hours=24)
        metrics.create(session, day, actor=actor, now=now)
        fill(session, launch(session, primary_metric="day"), now)

    def taken(days):
        clock.at = now + days * DAY
        with transaction(database) as session:
            analyse(session, "headline", now=clock.at)
            write(session, describe(session, "headline"))
            decide(session, "headline", actor=actor, now=clock.at)
        return alice

    return taken


def effects(browser):
    address = "/experiments/headline?table=results&format="
    rows = list(csv.DictReader(io.StringIO(browser.get(f"{address}csv"))))
    documents = json.loads(browser.get(f"{address}json"))["rows"]
    stored = [{key: cell or None for key, cell in row.items()} for row in rows]
    primary = [row for row in (*stored, *documents) if row["metric"] == "day"]
    return [row["effect_rel"] for row in primary if row["variant"] == "pain"]


def evidence(browser):
    rows = csv.DictReader(io.StringIO(browser.get("/experiments/headline?table=rule&format=csv")))
    return [(row["ruling"], row["figure"]) for row in rows if row["condition"] == "evidence"]


def test_show__before_the_least_days__compares_nothing_and_tells_the_counts(look):
    alice = look(3)
    page = alice.get("/experiments/headline")

    assert "Nothing is compared:" in page
    assert "it is too early: there are 2 of 7 days of matured visitors" in page
    assert "120 of " in page
    assert "To be expected" not in page
    assert effects(alice) == [None, None]
    assert "Not told yet: it is too early" in alice.get("/experiments/headline?view=time")
    assert ("waiting", "") in evidence(alice)


def test_show__in_time__tells_the_evidence_of_the_rule(look):
    assert all(figure for _, figure in evidence(look(9)))


def test_show__in_time__compares_and_tells_how_long_visitors_take(look):
    look(3)
    alice = look(9)
    page = alice.get("/experiments/headline")

    assert "Nothing is compared" not in page
    assert "To be expected" in page
    assert all(float(effect) > 0.5 for effect in effects(alice))
    course = alice.get("/experiments/headline?view=time")
    assert "How long visitors take" in course
    assert "converters took 2 hours on average" in course
    assert "two to eight groups" in alice.get("/experiments/headline?view=groups")
